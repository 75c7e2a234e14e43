import { BatchedRedis } from './batched-redis.js'
import { retryDelay } from './retry-delay.js'
import type { RedisOptions } from './url.js'

/** After this many milliseconds without an answer, the next Sentinel is asked. */
const sentinelTimeoutMs = 1000

/**
 * Returns a connection to the master that Sentinels name. It moves to another server when the
 * Sentinels name a new master, and when its server is no longer a master.
 */
export function connectSentinel(options: RedisOptions): BatchedRedis {
  return new SentinelRedis({
    connectTimeout: sentinelTimeoutMs * 2,
    ...options,
    role: 'master',
    sentinelCommandTimeout: sentinelTimeoutMs,
    // Subscribes to failovers: a replaced master may keep this connection open.
    failoverDetector: true,
    sentinelRetryStrategy: (attempt) => Math.min(50 * attempt, 1000),
    // Reconnects without sending the command again: READONLY was not executed, but the caller
    // decides.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
}

class SentinelRedis extends BatchedRedis {
  #closing = false

  constructor(options: RedisOptions) {
    super(options)
    // When ioredis learns of a failover after it has lost the connection, it aborts the running
    // attempt to connect, for good. Connect again unless the caller has closed the connection.
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
   * While no Sentinel answers, ioredis would keep the first `connect()` pending. Reject it with the
   * first failure, as with any other server; the attempts continue.
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
