import { probe, type Redis } from '@portcullis/redis'
import { BrokerError } from '../errors.js'

const namesPerCommand = 500
const leastPauseMs = 20
const mostPauseMs = 1000

export interface LineOptions {
  redis: Redis
  /** How often the connection is asked for a sign of life, and how long it has for it. */
  probeMs: number
  onMessage: (key: string, message: Buffer) => void
  /** The connection stands, anew, and nothing is subscribed on it. */
  onReady: () => void
  /** Something that was subscribed on it may not be any more. */
  onDoubt: () => void
  /** It may be that after a doubt, or a refusal, it is time to subscribe again. */
  onRetry: () => void
}

/** The subscriptions in one Redis server, on a connection of their own. */
export class Line {
  readonly redis: Redis
  /** The first attempt to connect; others follow by themselves. */
  readonly opened: Promise<void>
  readonly #options: LineOptions
  /** Rejects when the connection is lost; those who await a confirmation stop waiting. */
  #lost = newSignal()
  #doubts = 0
  #retry: NodeJS.Timeout | undefined
  #pauseMs = leastPauseMs
  #closed = false
  readonly #stopProbe: () => void

  constructor(options: LineOptions) {
    const { redis, probeMs, onMessage, onReady, onDoubt } = options
    this.redis = redis
    this.#options = options
    redis.on('ready', () => {
      this.#pauseMs = leastPauseMs
      onReady()
    })
    redis.on('close', () => {
      this.#doubts += 1
      onDoubt()
      const lost = this.#lost
      this.#lost = newSignal()
      lost.fire()
    })
    // Redis has taken subscriptions back, or refuses them: their slot is another server's now.
    // Which ones, ioredis does not tell.
    redis.on('moved', () => {
      this.#doubts += 1
      onDoubt()
      this.retryLater()
    })
    redis.on('smessageBuffer', (channel: Buffer, message: Buffer) =>
      onMessage(channel.toString('latin1'), message),
    )
    this.#stopProbe = probe(redis, probeMs)
    this.opened = redis.connect()
    this.opened.catch(() => undefined)
  }

  get ready(): boolean {
    return this.redis.status === 'ready'
  }

  /** Subscribes; resolves once Redis has confirmed. @throws BrokerError away */
  async subscribe(key: string): Promise<void> {
    if (!this.ready) {
      throw new BrokerError('away', 'Redis is away')
    }
    const { promise } = this.#lost
    try {
      await Promise.race([this.redis.ssubscribe(key), promise])
    } catch (error) {
      throw new BrokerError('away', 'Redis did not confirm a subscription', { cause: error })
    }
  }

  /**
   * Subscribes to all of the groups, the names of each being of one slot. Gives whether that stands:
   * no subscription of this server has come into doubt meanwhile.
   */
  async subscribeAll(groups: readonly (readonly string[])[]): Promise<boolean> {
    const [lost, doubts] = [this.#lost, this.#doubts]
    const commands: Promise<unknown>[] = []
    for (const names of groups) {
      for (let at = 0; at < names.length; at += namesPerCommand) {
        commands.push(this.redis.ssubscribe(...names.slice(at, at + namesPerCommand)))
      }
    }
    const results = await Promise.allSettled(commands)
    // With the next connection comes `onReady`.
    if (lost !== this.#lost) {
      return false
    }
    const stands = results.every(({ status }) => status === 'fulfilled') && doubts === this.#doubts
    if (stands) {
      this.#pauseMs = leastPauseMs
    } else {
      this.retryLater()
    }
    return stands
  }

  unsubscribe(key: string): void {
    // When Redis is away its side of the subscription is gone too.
    if (this.ready) {
      this.redis.sunsubscribe(key).catch(() => undefined)
    }
  }

  /** Has everything subscribed again in a while; a longer one each time until it stands. */
  retryLater(): void {
    if (this.#closed || this.#retry !== undefined) {
      return
    }
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      // When it is not, `onReady` comes.
      if (this.ready) {
        this.#options.onRetry()
      }
    }, this.#pauseMs)
    this.#retry.unref()
    this.#pauseMs = Math.min(2 * this.#pauseMs, mostPauseMs)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
    this.#stopProbe()
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
