import type { Redis } from '@portcullis/redis'
import { BrokerError } from './errors.js'

const namesPerCommand = 500

export interface SubscriberOptions {
  onMessage: (key: string, message: Buffer) => void
  /** Everything that is wanted comes in again, after it had not for a while. */
  onRestored: () => void
}

/**
 * The node's subscriptions in Redis, on a connection of their own.
 *
 * All commands go down one connection and Redis handles them in order, so a SUBSCRIBE sent after an
 * UNSUBSCRIBE wins, and no state in between has to be kept here. After a reconnect everything that
 * is wanted is subscribed again, and only then is the subscriber whole.
 */
export class Subscriber {
  readonly #redis: Redis
  readonly #wanted = new Set<string>()
  /** Rejects when the connection is lost; those who await a confirmation stop waiting. */
  #lost = newSignal()
  #whole = false

  constructor(redis: Redis, { onMessage, onRestored }: SubscriberOptions) {
    this.#redis = redis
    redis.on('ready', () => this.#restore(onRestored))
    redis.on('close', () => {
      this.#whole = false
      const lost = this.#lost
      this.#lost = newSignal()
      lost.fire()
    })
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      const key = channel.toString()
      if (this.#wanted.has(key)) onMessage(key, message)
      // It was on its way when the channel was left.
      else this.#drop(key)
    })
  }

  /** Whether every wanted subscription stands. */
  get whole(): boolean {
    return this.#whole
  }

  get wanted(): number {
    return this.#wanted.size
  }

  /** Resolves once Redis has confirmed. @throws BrokerError away */
  async add(key: string): Promise<void> {
    if (this.#redis.status !== 'ready') throw new BrokerError('away', 'Redis is away')
    this.#wanted.add(key)
    const { promise } = this.#lost
    try {
      await Promise.race([this.#redis.subscribe(key), promise])
    } catch (error) {
      this.#wanted.delete(key)
      throw new BrokerError('away', 'Redis did not confirm a subscription', { cause: error })
    }
  }

  remove(key: string): void {
    if (!this.#wanted.delete(key)) return
    this.#drop(key)
  }

  #drop(key: string): void {
    // When Redis is away its side of the subscription is gone too.
    if (this.#redis.status === 'ready') this.#redis.unsubscribe(key).catch(() => undefined)
  }

  #restore(onRestored: () => void): void {
    const names = [...this.#wanted]
    const lost = this.#lost
    const commands: Promise<unknown>[] = []
    for (let at = 0; at < names.length; at += namesPerCommand) {
      commands.push(this.#redis.subscribe(...names.slice(at, at + namesPerCommand)))
    }
    Promise.all(commands).then(
      () => {
        if (lost !== this.#lost) return
        this.#whole = true
        onRestored()
      },
      // Refused, or lost once more: connect again.
      () => {
        if (lost === this.#lost) this.#redis.disconnect(true)
      },
    )
  }
}

interface Signal {
  /** Rejects once fired. */
  readonly promise: Promise<never>
  fire(): void
}

function newSignal(): Signal {
  let fire = () => {}
  const promise = new Promise<never>((_resolve, reject) => {
    fire = () => reject(new BrokerError('away', 'the connection to Redis was lost'))
  })
  promise.catch(() => undefined)
  return { promise, fire }
}
