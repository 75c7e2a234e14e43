import { Redis } from 'ioredis'
import { retryDelay } from './retry-delay.js'
import type { RedisOptions } from './url.js'

/** A Sentinel that hangs is given up for the next one after so long, in milliseconds. */
const sentinelTimeoutMs = 1000

/**
 * A connection to the master that Sentinels name. It goes to another server when they say that there
 * is a new master, and when this one says that it is none any more.
 */
export function connectSentinel(options: RedisOptions): Redis {
  return new SentinelRedis({
    connectTimeout: sentinelTimeoutMs * 2,
    ...options,
    role: 'master',
    sentinelCommandTimeout: sentinelTimeoutMs,
    // Hears of a failover; a master that only lost its place may keep this connection open.
    failoverDetector: true,
    sentinelRetryStrategy: (attempt) => Math.min(50 * attempt, 1000),
    // Connects again and does not send again: READONLY was not executed, but the caller decides.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
}

class SentinelRedis extends Redis {
  #closing = false

  constructor(options: RedisOptions) {
    super(options)
    // ioredis hears of a failover on a connection that it has lost already, and then breaks off the
    // attempt to connect that is under way, for good. Nobody has asked for that.
    this.on('end', () => {
      if (this.#closing) {
        return
      }
      setTimeout(() => {
        if (!this.#closing) {
          this.connect().catch(() => undefined)
        }
      }, retryDelay(1)).unref()
    })
  }

  override disconnect(reconnect = false): void {
    this.#closing ||= !reconnect
    super.disconnect(reconnect)
  }

  override quit(): Promise<'OK'> {
    this.#closing = true
    return super.quit()
  }

  /**
   * While no Sentinel answers ioredis would let whoever waits for the first connection wait as long.
   * As with any other server, the first failure is the answer, and the attempts go on.
   */
  override async connect(): Promise<void> {
    let failed = (_error: Error) => {}
    const failure = new Promise<never>((_, reject) => {
      failed = reject
      this.once('error', reject)
    })
    const connecting = super.connect()
    connecting.catch(() => undefined)
    try {
      await Promise.race([connecting, failure])
    } finally {
      this.off('error', failed)
    }
  }
}
