import { close } from './close.js'
import type { Redis } from './connect.js'
import { PoolBusyError } from './errors.js'

/** Connections for blocking commands: each is lent to one caller at a time. */
export interface Pool {
  /**
   * Lends a connection while `work` runs. A connection whose `work` failed is dropped: it may still
   * be blocked.
   *
   * @param patienceMs - how long to wait for a connection when all are in use
   * @throws PoolBusyError when none was returned in time; errors of connecting and of `work`
   */
  lend<Result>(work: (redis: Redis) => Promise<Result>, patienceMs: number): Promise<Result>
  /** Closes idle connections at once and others when they are returned, and lends no more. */
  close(): Promise<void>
}

export interface PoolOptions {
  /** Creates a connection that is not connected yet. */
  make: () => Redis
  /** The maximum number of connections. They are opened when needed. */
  size: number
}

/** Creates a pool; connects on first use. */
export function openPool(options: PoolOptions): Pool {
  const pool = new ConnectionPool(options)
  return {
    lend: (work, patienceMs) => pool.lend(work, patienceMs),
    close: () => pool.close(),
  }
}

class ConnectionPool implements Pool {
  readonly #make: () => Redis
  readonly #size: number
  readonly #idle: Redis[] = []
  readonly #waiting = new Set<() => void>()
  #open = 0
  #closed = false

  constructor({ make, size }: PoolOptions) {
    this.#make = make
    this.#size = size
  }

  async lend<Result>(work: (redis: Redis) => Promise<Result>, patienceMs: number): Promise<Result> {
    const redis = await this.#take(patienceMs)
    let result: Result
    try {
      result = await work(redis)
    } catch (error) {
      this.#drop(redis)
      throw error
    }
    if (this.#closed) {
      this.#drop(redis)
    } else {
      this.#idle.push(redis)
      this.#wakeNext()
    }
    return result
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const wake of [...this.#waiting]) {
      wake()
    }
    this.#open -= this.#idle.length
    await Promise.all(this.#idle.splice(0).map((redis) => close(redis)))
  }

  async #take(patienceMs: number): Promise<Redis> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      if (this.#closed) {
        throw new PoolBusyError()
      }
      const found = this.#idle.pop()
      // A connection that was lost while idle would fail; a new one is safer.
      if (found?.status === 'ready') {
        return found
      }
      if (found !== undefined) {
        this.#drop(found)
      } else if (this.#open < this.#size) {
        return this.#connect()
      } else {
        await this.#waitForReturn(deadline - performance.now())
      }
    }
  }

  async #connect(): Promise<Redis> {
    this.#open += 1
    const redis = this.#make()
    try {
      await redis.connect()
      return redis
    } catch (error) {
      this.#drop(redis)
      throw error
    }
  }

  #drop(redis: Redis): void {
    this.#open -= 1
    redis.disconnect()
    this.#wakeNext()
  }

  #wakeNext(): void {
    const [wake] = this.#waiting
    wake?.()
  }

  #waitForReturn(patienceMs: number): Promise<void> {
    if (patienceMs <= 0) {
      throw new PoolBusyError()
    }
    return new Promise((resolve, reject) => {
      const wake = () => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(wake)
        reject(new PoolBusyError())
      }, patienceMs)
      this.#waiting.add(wake)
    })
  }
}
