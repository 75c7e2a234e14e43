import { probe, type Redis } from '@portcullis/redis'
import { BrokerError } from '../errors.js'

const namesPerCommand = 500
const minPauseMs = 20
const maxPauseMs = 1000

export interface SubscriberConnectionOptions {
  redis: Redis
  /** Interval of the probes, and the time that Redis has for its reply, in milliseconds. */
  probeMs: number
  onMessage: (key: string, message: Buffer) => void
  /** The connection is established, for the first time or again, and has no subscriptions. */
  onReady: () => void
  /** Some subscriptions of this connection may have ended. */
  onInterrupted: () => void
  /** Time to subscribe again, after an interruption or a refusal. */
  onRetry: () => void
}

/** The subscriptions in one Redis server, on their own connection. */
export class SubscriberConnection {
  readonly redis: Redis
  /** The first attempt to connect; the client library makes further attempts. */
  readonly opened: Promise<void>
  readonly #options: SubscriberConnectionOptions
  /** Rejects when the connection is lost, for callers that wait for a confirmation. */
  #lost = newSignal()
  #interruptions = 0
  #retry: NodeJS.Timeout | undefined
  #pauseMs = minPauseMs
  #closed = false
  readonly #stopProbe: () => void

  constructor(options: SubscriberConnectionOptions) {
    const { redis, probeMs, onMessage, onReady, onInterrupted } = options
    this.redis = redis
    this.#options = options
    redis.on('ready', () => {
      this.#pauseMs = minPauseMs
      onReady()
    })
    redis.on('close', () => {
      this.#interruptions += 1
      onInterrupted()
      const lost = this.#lost
      this.#lost = newSignal()
      lost.fire()
    })
    // Redis has ended or refused subscriptions whose slot moved to another server. ioredis does not
    // report which.
    redis.on('moved', () => {
      this.#interruptions += 1
      onInterrupted()
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
   * Subscribes to all groups; the names of a group share a slot. Returns true when Redis has
   * confirmed all of them and no subscription of this connection was interrupted meanwhile.
   */
  async subscribeAll(groups: readonly (readonly string[])[]): Promise<boolean> {
    const [lost, interruptions] = [this.#lost, this.#interruptions]
    const commands: Promise<unknown>[] = []
    for (const names of groups) {
      for (let at = 0; at < names.length; at += namesPerCommand) {
        commands.push(this.redis.ssubscribe(...names.slice(at, at + namesPerCommand)))
      }
    }
    const results = await Promise.allSettled(commands)
    // `onReady` follows with the next connection.
    if (lost !== this.#lost) {
      return false
    }
    const areConfirmed =
      results.every(({ status }) => status === 'fulfilled') && interruptions === this.#interruptions
    if (areConfirmed) {
      this.#pauseMs = minPauseMs
    } else {
      this.retryLater()
    }
    return areConfirmed
  }

  unsubscribe(key: string): void {
    // Without a connection Redis has no subscription to end.
    if (this.ready) {
      this.redis.sunsubscribe(key).catch(() => undefined)
    }
  }

  /** Schedules `onRetry`, with a pause that doubles until all subscriptions are confirmed. */
  retryLater(): void {
    if (this.#closed || this.#retry !== undefined) {
      return
    }
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      // Without a connection, `onReady` will follow.
      if (this.ready) {
        this.#options.onRetry()
      }
    }, this.#pauseMs)
    this.#retry.unref()
    this.#pauseMs = Math.min(2 * this.#pauseMs, maxPauseMs)
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
