/** Upper bounds of buckets for most durations, in seconds. */
export const durationBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** Counts durations in buckets. Counting one allocates nothing. */
export class Durations {
  /** Upper bounds of the buckets, in seconds, ascending. */
  readonly bounds: readonly number[]
  /** One count for each bound, and one for longer durations. */
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[] = durationBounds) {
    this.bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  /** Sum of all durations, in seconds. */
  get sum(): number {
    return this.#sum
  }

  observe(ms: number): void {
    const seconds = ms / 1000
    let at = 0
    while (seconds > (this.bounds[at] ?? Number.POSITIVE_INFINITY)) {
      at += 1
    }
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sum += seconds
  }

  /** Returns the number of durations up to each bound; the last is the number of all. */
  cumulative(): number[] {
    let total = 0
    return this.#counts.map((count) => {
      total += count
      return total
    })
  }
}
