/** Events that leave together. */
export interface Batch<Event> {
  readonly events: readonly Event[]
  /** Number of events that were dropped since the previous batch. */
  readonly lost: number
}

/** A bounded queue of events. When it is full, the oldest event is dropped. */
export class WaitingEvents<Event> {
  readonly #max: number
  #events: Event[] = []
  /** Index of the oldest event. */
  #first = 0
  #lost = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#events.length - this.#first
  }

  /** Returns false when an older event was dropped. */
  add(event: Event): boolean {
    this.#events.push(event)
    if (this.size <= this.#max) {
      return true
    }
    this.#lost += 1
    this.#skip(1)
    return false
  }

  /** Removes the oldest events, up to `max`. */
  take(max: number): Batch<Event> {
    const events = this.#events.slice(this.#first, this.#first + max)
    const lost = this.#lost
    this.#lost = 0
    this.#skip(events.length)
    return { events, lost }
  }

  #skip(count: number): void {
    this.#first += count
    // Rarely, so that each event is copied once on average.
    if (this.#first * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#first)
      this.#first = 0
    }
  }
}
