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
export function openPool({ make, size }: PoolOptions): Pool {
  const idle: Redis[] = []
  const waiting = new Set<() => void>()
  let open = 0
  let closed = false

  async function take(patienceMs: number): Promise<Redis> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      if (closed) {
        throw new PoolBusyError()
      }
      const found = idle.pop()
      // A connection that was lost while idle would fail; a new one is safer.
      if (found?.status === 'ready') {
        return found
      }
      if (found !== undefined) {
        drop(found)
      } else if (open < size) {
        return connected()
      } else {
        await waitForReturn(deadline - performance.now())
      }
    }
  }

  async function connected(): Promise<Redis> {
    open += 1
    const redis = make()
    try {
      await redis.connect()
      return redis
    } catch (error) {
      drop(redis)
      throw error
    }
  }

  function drop(redis: Redis): void {
    open -= 1
    redis.disconnect()
    wakeNext()
  }

  function wakeNext(): void {
    const [wake] = waiting
    wake?.()
  }

  function waitForReturn(patienceMs: number): Promise<void> {
    if (patienceMs <= 0) {
      throw new PoolBusyError()
    }
    return new Promise((resolve, reject) => {
      const wake = () => {
        clearTimeout(timer)
        waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(wake)
        reject(new PoolBusyError())
      }, patienceMs)
      waiting.add(wake)
    })
  }

  return {
    async lend(work, patienceMs) {
      const redis = await take(patienceMs)
      let result: Awaited<ReturnType<typeof work>>
      try {
        result = await work(redis)
      } catch (error) {
        drop(redis)
        throw error
      }
      if (closed) {
        drop(redis)
      } else {
        idle.push(redis)
        wakeNext()
      }
      return result
    },
    async close() {
      closed = true
      for (const wake of [...waiting]) {
        wake()
      }
      open -= idle.length
      await Promise.all(idle.splice(0).map((redis) => close(redis)))
    },
  }
}
