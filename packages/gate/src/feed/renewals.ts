import type { Lease as LeaseMessage } from '@portcullis/contracts/feed'
import type { NodeLease } from '../grants/lease.js'

/** A lease is renewed when a third of it is over: one renewal may be lost without anyone noticing. */
const renewalsPerLease = 3
/** Renewals without an answer after which auth counts as dead. */
const mostUnanswered = 2

interface RenewalsOptions {
  lease: NodeLease
  /** Between renewals before auth has said how long a lease is, in milliseconds. */
  firstMs: number
  send: (renewal: number) => void
  unanswered: () => void
}

/** Asks for the lease again and again, over one connection after another. */
export class Renewals {
  readonly #options: RenewalsOptions
  /** When each that awaits its answer was about to be sent, on the monotonic clock. */
  readonly #sentAt = new Map<number, number>()
  #last = 0
  #everyMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(options: RenewalsOptions) {
    this.#options = options
    this.#everyMs = options.firstMs
  }

  /** Renews at once, and goes on. */
  start(): void {
    this.stop()
    this.#renew()
  }

  /** The connection is gone: what it was asked is not answered any more. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#sentAt.clear()
  }

  answered({ renewal, ttlMs }: LeaseMessage): void {
    const sentAt = this.#sentAt.get(renewal)
    if (sentAt === undefined) {
      return
    }
    // An answer to a later one covers those before it.
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
    if (this.#sentAt.size >= mostUnanswered) {
      this.#options.unanswered()
      return
    }
    this.#last += 1
    // Before it is sent: auth counts from when it arrives, and must be the later of the two.
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
