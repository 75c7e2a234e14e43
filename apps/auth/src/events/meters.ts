import type { Settled } from '../registry/index.js'

export interface EventQueues {
  /** Events queued for all receivers. */
  pending: number
  /** When the oldest of them was queued, in Unix milliseconds. */
  oldestAt: number | undefined
}

/** Counters since the start. */
export interface EventMeters {
  /** Failed pushes that are retried. */
  attemptsFailed: number
  /** Times that a receiver missed an unknown number of events. */
  lost: number
  /** Counts events that this instance has settled. */
  settled(counts: Partial<Settled & { dropped: number }>): void
}
