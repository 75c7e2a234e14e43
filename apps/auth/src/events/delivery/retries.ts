import type { QueuedEvent } from '../../registry/index.js'

/** The longest wait between two attempts at an event, in milliseconds. */
const longestMs = 300_000

/**
 * When to push again to a receiver that has not taken everything. Events that it has failed on wait,
 * for longer each time, all together; others do not wait for them, but come one batch at a time while
 * nothing is taken. So neither a receiver that is away nor one event that it chokes on costs many
 * requests, and neither holds up what could be delivered.
 */
export class Retries {
  readonly #firstMs: number
  /** The `jti` of events that have failed since they were last all tried again. */
  readonly #failed = new Set<string>()
  /** Attempts since the receiver last answered. */
  #tries = 0
  /** When those are tried again. */
  #againAt = Number.POSITIVE_INFINITY
  /** When anything may be tried. */
  #anyAt = Number.NEGATIVE_INFINITY

  constructor(firstMs: number) {
    this.#firstMs = firstMs
  }

  /** When something is to be tried again, on this process's monotonic clock; never: infinity. */
  get dueAt(): number {
    return Math.max(this.#againAt, this.#anyAt)
  }

  /** Whether anything may be tried now. To be asked at every look: events whose wait is over join in. */
  mayTry(now: number): boolean {
    if (now >= this.#againAt) {
      this.#failed.clear()
      this.#againAt = Number.POSITIVE_INFINITY
    }
    return now >= this.#anyAt
  }

  /** Those of these events that have not to wait. */
  untried(events: readonly QueuedEvent[]): QueuedEvent[] {
    return events.filter(({ jti }) => !this.#failed.has(jti))
  }

  /** A batch was tried: which events failed, and whether the receiver has answered for any. */
  tried(failed: readonly QueuedEvent[], answered: boolean, now: number): void {
    for (const { jti } of failed) {
      this.#failed.add(jti)
    }
    this.#tries = answered ? 0 : this.#tries + 1
    if (!answered) {
      this.#anyAt = now + jittered(this.#firstMs)
    }
    if (this.#failed.size === 0) {
      return
    }
    const waitMs = Math.min(this.#firstMs * 2 ** Math.max(0, this.#tries - 1), longestMs)
    const at = now + jittered(waitMs)
    // After an answer soon; otherwise what is waited for already is not put off.
    if (answered || this.#againAt === Number.POSITIVE_INFINITY) {
      this.#againAt = Math.min(this.#againAt, at)
    }
  }
}

/** Shortened at random by up to half, so that many do not come back at once. */
function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2)
}
