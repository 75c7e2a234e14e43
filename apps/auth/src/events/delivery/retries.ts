import { Backoff } from '@portcullis/gate/grants'
import type { QueuedEvent } from '../../registry/index.js'

/** The longest wait between two attempts at an event, in milliseconds. */
const maxWaitMs = 300_000

/**
 * When to push to a receiver again that has not taken every event.
 *
 * Events that failed wait together, longer each time. Other events do not wait for them, but are pushed
 * one batch at a time while the receiver takes none. So neither a receiver that is down nor one event
 * that it fails on costs many requests, and neither delays what can be delivered.
 */
export class Retries {
  /** The wait of failed events after the receiver has answered, and of all events otherwise. */
  readonly #short: Backoff
  /** The wait of failed events while the receiver does not answer. */
  readonly #growing: Backoff
  /** The `jti` of events that have failed since all were last tried again. */
  readonly #failed = new Set<string>()
  /** When the failed events are tried again. */
  #failedAgainAt = Number.POSITIVE_INFINITY
  /** When any event may be tried. */
  #anyAt = Number.NEGATIVE_INFINITY

  /** @param firstWaitMs - the first wait after a failure, in milliseconds; each further one doubles */
  constructor(firstWaitMs: number) {
    this.#short = new Backoff(firstWaitMs, firstWaitMs)
    this.#growing = new Backoff(firstWaitMs, maxWaitMs)
  }

  /** When to try again, on this process's monotonic clock; infinity when no event has failed. */
  get dueAt(): number {
    return Math.max(this.#failedAgainAt, this.#anyAt)
  }

  /** Returns true when events may be tried now. Readmits failed events whose wait is over. */
  mayTry(now: number): boolean {
    if (now >= this.#failedAgainAt) {
      this.#failed.clear()
      this.#failedAgainAt = Number.POSITIVE_INFINITY
    }
    return now >= this.#anyAt
  }

  /** Returns the events that do not have to wait. */
  untried(events: readonly QueuedEvent[]): QueuedEvent[] {
    return events.filter(({ jti }) => !this.#failed.has(jti))
  }

  /**
   * Notes the result of a batch.
   *
   * @param failed - the events to try again
   * @param answered - true when the receiver has taken or refused at least one event
   */
  tried(failed: readonly QueuedEvent[], answered: boolean, now: number): void {
    for (const { jti } of failed) {
      this.#failed.add(jti)
    }
    let waitMs = this.#short.next()
    if (answered) {
      this.#growing.reset()
    } else {
      this.#anyAt = now + waitMs
      waitMs = this.#growing.next()
    }
    if (this.#failed.size === 0) {
      return
    }
    const at = now + Math.min(waitMs, maxWaitMs)
    // A receiver that answers is retried soon; otherwise a wait in progress is not extended.
    if (answered || this.#failedAgainAt === Number.POSITIVE_INFINITY) {
      this.#failedAgainAt = Math.min(this.#failedAgainAt, at)
    }
  }
}
