import { type Active, maxIntrospections } from '@portcullis/contracts/introspection'
import { GateError } from '../errors.js'
import type { LiveGrant } from '../grants/grant.js'
import type { Mark, Watch } from '../grants/watch.js'
import type { GateTimings } from '../options.js'
import type { GateStats } from '../stats.js'
import { authConnections } from './auth-http.js'
import type { Lookup } from './lookup.js'

/** Tokens waiting for a batch. More would only time out, so they are refused at once. */
const maxWaiting = 64 * maxIntrospections

interface Waiter {
  resolve(grant: LiveGrant): void
  reject(error: unknown): void
}

/** One token in a batch, shared by every caller that asks about the token meanwhile. */
interface Slot {
  readonly token: string
  /** When the first caller asked, on the monotonic clock. */
  readonly since: number
  readonly waiters: Waiter[]
}

interface IntrospectorOptions {
  lookup: Lookup
  watch: Watch
  stats: GateStats
  timeoutMs: number
  timings?: GateTimings
  /**
   * While a POST is younger than this, in milliseconds, the next batch waits for its answer: fewer, larger
   * batches cost both sides less. Default: 20.
   */
  collectMs?: number
}

/**
 * Introspects tokens in batches. Tokens that arrive in one turn of the event loop share one POST. While
 * auth answers quickly, one POST is in flight, and tokens that arrive meanwhile wait for the next. Further
 * POSTs are sent when an answer takes long or a batch is full.
 */
export class Introspector {
  readonly #lookup: Lookup
  readonly #watch: Watch
  readonly #stats: GateStats
  readonly #timeoutMs: number
  readonly #timings: GateTimings | undefined
  readonly #collectMs: number
  /** Slots that wait or are in flight, by token. */
  readonly #slots = new Map<string, Slot>()
  #waiting: Slot[] = []
  #scheduled = false
  #inFlight = 0
  /** POSTs in flight that are younger than `#collectMs`. */
  #young = 0
  #closed = false

  constructor({ lookup, watch, stats, timeoutMs, timings, collectMs = 20 }: IntrospectorOptions) {
    this.#lookup = lookup
    this.#watch = watch
    this.#stats = stats
    this.#timeoutMs = timeoutMs
    this.#timings = timings
    this.#collectMs = collectMs
  }

  /**
   * Returns the token's grant, which the watch already has. Every caller gets its own grant.
   * @throws GateError `invalid_token`, `auth_unavailable`
   */
  introspect(token: string): Promise<LiveGrant> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        return reject(new GateError('auth_unavailable', 'the gate is closed'))
      }
      const known = this.#slots.get(token)
      if (known !== undefined) {
        // An answer in flight is as good as a new one: the watch checks it against every
        // revocation since its request.
        known.waiters.push({ resolve, reject })
        return
      }
      if (this.#waiting.length >= maxWaiting) {
        return reject(new GateError('auth_unavailable', 'too many tokens wait for auth'))
      }
      const slot = { token, since: performance.now(), waiters: [{ resolve, reject }] }
      this.#slots.set(token, slot)
      this.#waiting.push(slot)
      this.#schedule()
    })
  }

  /** Refuses every waiting caller. */
  close(): void {
    this.#closed = true
    this.#refuse([...this.#slots.values()], new GateError('auth_unavailable', 'the gate is closed'))
    this.#waiting = []
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || !this.#maySend()) {
      return
    }
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const oldest = performance.now() - this.#timeoutMs
    const late = this.#waiting.findIndex((slot) => slot.since >= oldest)
    const expired = this.#waiting.splice(0, late === -1 ? this.#waiting.length : late)
    // Creating an error is expensive because of its stack, and this case is rare.
    if (expired.length > 0) {
      this.#refuse(expired, new GateError('auth_unavailable', 'auth is too slow'))
    }
    while (this.#waiting.length > 0 && this.#maySend()) {
      this.#send(this.#waiting.splice(0, maxIntrospections))
    }
  }

  #maySend(): boolean {
    if (this.#inFlight >= authConnections) {
      return false
    }
    return this.#young === 0 || this.#waiting.length >= maxIntrospections
  }

  /** Counts a POST as young. Returns a function to call when its answer has arrived. */
  #countYoung(): () => void {
    this.#young++
    let young = true
    const grownUp = (): void => {
      if (young) {
        young = false
        this.#young--
      }
    }
    const timer = setTimeout(() => {
      grownUp()
      this.#schedule()
    }, this.#collectMs)
    timer.unref()
    return () => {
      clearTimeout(timer)
      grownUp()
    }
  }

  #send(slots: readonly Slot[]): void {
    let mark: Mark
    try {
      mark = this.#watch.begin()
    } catch (error) {
      this.#refuse(slots, error)
      return
    }
    this.#inFlight++
    const answered = this.#countYoung()
    const sentAt = performance.now()
    this.#stats.batches++
    this.#stats.introspected += slots.length
    this.#stats.largestBatch = Math.max(this.#stats.largestBatch, slots.length)
    this.#lookup(slots.map((slot) => slot.token))
      .then(
        (results) => {
          for (const [at, slot] of slots.entries()) {
            this.#settle(slot, results[at], mark)
          }
        },
        (error: unknown) => this.#refuse(slots, error),
      )
      .finally(() => {
        this.#watch.finish(mark)
        this.#inFlight--
        this.#measure(slots, sentAt)
        answered()
        this.#schedule()
      })
  }

  #measure(slots: readonly Slot[], sentAt: number): void {
    if (this.#timings === undefined) {
      return
    }
    const now = performance.now()
    this.#timings.introspection(now - sentAt)
    for (const { since } of slots) {
      this.#timings.admission(now - since)
    }
  }

  /** Registers the answer with the watch in one synchronous step. */
  #settle(slot: Slot, active: Active | undefined, mark: Mark): void {
    this.#slots.delete(slot.token)
    for (const { resolve, reject } of slot.waiters) {
      try {
        if (active === undefined) {
          throw new GateError('invalid_token', 'the token is not active')
        }
        resolve(this.#watch.register(active, slot.token, mark))
      } catch (error) {
        reject(error)
      }
    }
  }

  #refuse(slots: readonly Slot[], error: unknown): void {
    for (const slot of slots) {
      this.#slots.delete(slot.token)
      for (const { reject } of slot.waiters) {
        reject(error)
      }
    }
  }
}
