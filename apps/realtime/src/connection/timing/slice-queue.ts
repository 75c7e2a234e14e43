export interface SliceQueueOptions {
  /** Time for work in one turn of the event loop, in milliseconds. */
  maxSliceMs: number
  /** Default: the monotonic clock, in milliseconds. */
  now?: () => number
}

/**
 * Runs work that may wait: at once while this turn of the event loop has time for it, otherwise in later
 * turns, in order. So the same work for thousands of connections does not block the event loop.
 */
export class SliceQueue {
  readonly #maxSliceMs: number
  readonly #now: () => number
  #waiting: (() => void)[] = []
  /** When the slice of this turn ends; undefined before the first work of a turn. */
  #sliceEnd: number | undefined

  constructor({ maxSliceMs, now = () => performance.now() }: SliceQueueOptions) {
    this.#maxSliceMs = maxSliceMs
    this.#now = now
  }

  run(work: () => void): void {
    // Waiting work has used up the slice, so new work does not overtake.
    if (this.#hasTime()) {
      work()
    } else {
      this.#waiting.push(work)
    }
  }

  /** Starts a slice if this turn has none. */
  #hasTime(): boolean {
    const now = this.#now()
    if (this.#sliceEnd === undefined) {
      this.#sliceEnd = now + this.#maxSliceMs
      setImmediate(() => this.#nextTurn())
    }
    return now < this.#sliceEnd
  }

  #nextTurn(): void {
    this.#sliceEnd = undefined
    const waiting = this.#waiting
    let done = 0
    // At least one for each turn.
    while (done < waiting.length && (this.#hasTime() || done === 0)) {
      waiting[done]?.()
      done += 1
    }
    this.#waiting = waiting.slice(done)
  }
}
