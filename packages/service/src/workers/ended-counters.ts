import { AggregatorRegistry } from 'prom-client'
import type { Metrics } from './messages.js'

/**
 * Keeps the counters of workers that have ended. Without them the sum over all workers would fall when a
 * worker ends, which Prometheus reads as a restart of the whole service.
 */
export class EndedCounters {
  readonly #last = new Map<number, Metrics>()
  #sum: Promise<Metrics> = Promise.resolve([])

  /** Remembers what a worker reported last. */
  reported(worker: number, metrics: Metrics): void {
    this.#last.set(
      worker,
      metrics.filter(({ type }) => ['counter', 'histogram'].includes(String(type))),
    )
  }

  /** Adds the last report of a worker that has ended. */
  ended(worker: number): void {
    const last = this.#last.get(worker)
    this.#last.delete(worker)
    if (last !== undefined) {
      this.#sum = this.#sum.then((sum) =>
        AggregatorRegistry.aggregate([sum, last]).getMetricsAsJSON(),
      )
    }
  }

  /** Returns the counters of all workers that have ended. */
  sum(): Promise<Metrics> {
    return this.#sum
  }
}
