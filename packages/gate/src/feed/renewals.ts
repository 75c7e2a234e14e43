import type { LeaseMessage } from '@portcullis/contracts/feed'
import type { NodeLease } from '../grants/lease.js'

/** A lease is renewed after a third of its length, so one lost renewal does no harm. */
const renewalsPerLease = 3
/** Auth counts as dead after this many unanswered renewals. */
const maxUnanswered = 2

interface RenewalsOptions {
  lease: NodeLease
  /** Between renewals until auth has sent the length of the lease, in milliseconds. */
  firstMs: number
  send: (renewal: number) => void
  onUnanswered: () => void
}

/** Renews the lease periodically, over one connection after another. */
export class Renewals {
  readonly #options: RenewalsOptions
  /** The monotonic time just before each unanswered renewal was sent. */
  readonly #sentAt = new Map<number, number>()
  #last = 0
  #everyMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(options: RenewalsOptions) {
    this.#options = options
    this.#everyMs = options.firstMs
  }

  /** Renews at once, and then periodically. */
  start(): void {
    this.stop()
    this.#renew()
  }

  /** Stops when the connection is lost: its renewals will not be answered. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#sentAt.clear()
  }

  answered({ renewal, ttlMs }: LeaseMessage): void {
    const sentAt = this.#sentAt.get(renewal)
    if (sentAt === undefined) {
      return
    }
    // An answer to a later renewal covers the earlier ones.
    for (const earlier of this.#sentAt.keys()) {
      if (earlier <= renewal) {
        this.#sentAt.delete(earlier)
      }
    }
    this.#everyMs = ttlMs / renewalsPerLease
    this.#options.lease.granted(sentAt, ttlMs)
    this.#next(sentAt + this.#everyMs - performance.now())
  }

  #renew(): void {
    if (this.#sentAt.size >= maxUnanswered) {
      this.#options.onUnanswered()
      return
    }
    this.#last += 1
    // Before the send: auth counts from the arrival, and its lease must end later than the node's.
    this.#sentAt.set(this.#last, performance.now())
    this.#options.send(this.#last)
    this.#next(this.#everyMs)
  }

  #next(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#renew(), Math.max(0, ms))
    this.#timer.unref()
  }
}
