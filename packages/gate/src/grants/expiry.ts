/** Time in milliseconds: the wall clock's and the monotonic clock's. */
export interface Clock {
  wall(): number
  monotonic(): number
}

const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() }

/** If the wall clock falls behind the monotonic clock by more than this, it was set back. */
const setBackMs = 500

/**
 * Calls `due` with each item at its time. One timer serves all items, in buckets of one second.
 *
 * A token's `exp` is wall time, so this follows the wall clock, including steps forward and sleep. A wall
 * clock that is set back must not lengthen a token's life: time then advances with the monotonic clock.
 * Items added later count from the new wall clock.
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

  /** Sets the time of an item, in Unix milliseconds; rounds to the second. */
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

  /** Calls `due` for every item that is due now. The timer calls this once a second. */
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
