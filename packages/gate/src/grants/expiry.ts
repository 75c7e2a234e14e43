/** Time in milliseconds: the wall clock's and the monotonic clock's. */
export interface Clock {
  wall(): number
  monotonic(): number
}

const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() }

/** A wall clock that falls behind the monotonic one by more than this was set back. */
const setBackMs = 500

/**
 * Calls back when things are due, with one timer for all: a bucket for each second.
 *
 * `exp` is wall time, so the wall clock rules, forward steps and sleep included: what they passed is
 * due. A clock that is set back must not lengthen a token's life: then time goes on at the monotonic
 * clock's pace. What is added later counts from the wall clock as it is then.
 */
export class Expiry<T extends object> {
  readonly #due: (item: T) => void
  readonly #clock: Clock
  readonly #buckets = new Map<number, Set<T>>()
  readonly #secondOf = new Map<T, number>()
  #time: number
  #wall: number
  #monotonic: number
  #timer: NodeJS.Timeout | undefined

  constructor(due: (item: T) => void, clock: Clock = systemClock) {
    this.#due = due
    this.#clock = clock
    this.#time = this.#wall = clock.wall()
    this.#monotonic = clock.monotonic()
  }

  get size(): number {
    return this.#secondOf.size
  }

  /** Sets or moves the moment, in Unix milliseconds, kept to the second. */
  set(item: T, at: number): void {
    this.delete(item)
    const now = this.#now()
    const second = Math.round((now + at - this.#wall) / 1000)
    const bucket = this.#buckets.get(second)
    if (bucket === undefined) {
      this.#buckets.set(second, new Set([item]))
    } else {
      bucket.add(item)
    }
    this.#secondOf.set(item, second)
    this.#arm(now)
  }

  delete(item: T): void {
    const second = this.#secondOf.get(item)
    if (second === undefined) {
      return
    }
    this.#secondOf.delete(item)
    const bucket = this.#buckets.get(second)
    bucket?.delete(item)
    if (bucket?.size === 0) {
      this.#buckets.delete(second)
    }
    if (this.#secondOf.size === 0) {
      this.clear()
    }
  }

  /** Calls back for everything that is due now; the timer does it once a second. */
  run(): void {
    const now = this.#now()
    const second = Math.floor(now / 1000)
    for (const [key, bucket] of this.#buckets) {
      if (key > second) {
        continue
      }
      for (const item of bucket) {
        this.delete(item)
        this.#due(item)
      }
    }
    this.#arm(now)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#buckets.clear()
    this.#secondOf.clear()
  }

  #now(): number {
    const wall = this.#clock.wall()
    const monotonic = this.#clock.monotonic()
    const passed = monotonic - this.#monotonic
    const shown = wall - this.#wall
    this.#time += shown < passed - setBackMs ? passed : shown
    this.#wall = wall
    this.#monotonic = monotonic
    return this.#time
  }

  #arm(now: number): void {
    if (this.#timer !== undefined || this.#secondOf.size === 0) {
      return
    }
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.run()
      },
      1000 - (now % 1000),
    )
    this.#timer.unref()
  }
}
