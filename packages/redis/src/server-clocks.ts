import { type Commands, isCluster } from './commands.js'
import { TooLateError } from './errors.js'
import { slotOf } from './slots.js'

/** How long a reading of a server's clock is used, in milliseconds. */
const maxAgeMs = 5000

interface Reading {
  /** What the server's clock showed, in Unix milliseconds. */
  readonly serverMs: number
  /** When the answer had arrived, on this process's monotonic clock. */
  readonly at: number
}

/**
 * Names moments of this process's monotonic clock in the clock of the Redis that has a key, as
 * deadlines for scripts. A server's clock is compared with itself alone: it is read, and the time that
 * is left is added. The reading is older than the arrival of its answer, so the deadline is early by
 * that, never late. A clock that is set back, or another master whose clock is behind, adds the
 * difference until the next reading.
 */
export class ServerClocks {
  readonly #redis: Commands
  /** By slot; a server that is no Cluster has one clock for all. */
  readonly #readings = new Map<number, Reading>()

  constructor(redis: Commands) {
    this.#redis = redis
    // Another server may answer on the next connection.
    redis.on('close', () => this.#readings.clear())
  }

  /** Reads the clock for a key, unless that was done lately. Rejects as commands do. */
  async read(key: string): Promise<void> {
    const slot = this.#slot(key)
    const known = this.#readings.get(slot)
    if (known !== undefined && performance.now() - known.at < maxAgeMs) return
    this.#readings.delete(slot)
    // A script, since TIME alone has no key by which a Cluster could send it to the right master.
    const [seconds, microseconds] = (await this.#redis.eval(
      "return redis.call('TIME')",
      1,
      key,
    )) as [string, string]
    const serverMs = Number(seconds) * 1000 + Number(microseconds) / 1000
    this.#readings.set(slot, { serverMs, at: performance.now() })
  }

  /**
   * Returns the deadline for a key: the Unix milliseconds that the server shows at `until`
   * (`performance.now()`), or a little before. Without a reading it is 0, which every script refuses.
   */
  deadline(key: string, until: number): number {
    const reading = this.#readings.get(this.#slot(key))
    return reading === undefined ? 0 : reading.serverMs + until - reading.at
  }

  /** Forgets the reading for a key: the server's clock was set forward. */
  forget(key: string): void {
    this.#readings.delete(this.#slot(key))
  }

  #slot(key: string): number {
    return isCluster(this.#redis) ? slotOf(key) : 0
  }
}

/**
 * Returns true for an error after which a command cannot take effect any more: Redis has refused it.
 * A lost connection or a timeout proves nothing.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof TooLateError) return true
  return error instanceof Error && error.name === 'ReplyError'
}
