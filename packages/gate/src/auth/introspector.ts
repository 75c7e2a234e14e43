import { type Active, maxIntrospections } from '@portcullis/contracts/introspection'
import { GateError } from '../errors.js'
import type { LiveGrant } from '../grants/grant.js'
import type { Mark, Watch } from '../grants/watch.js'
import type { GateStats } from '../stats.js'
import { authConnections } from './auth-http.js'
import type { Lookup } from './lookup.js'

/** More than this waiting for their turn would only time out: refused at once. */
const maxWaiting = 64 * maxIntrospections

interface Waiter {
  resolve(grant: LiveGrant): void
  reject(error: unknown): void
}

/** One token's place in a batch, shared by all who ask about it meanwhile. */
interface Slot {
  readonly token: string
  /** On the monotonic clock. */
  readonly since: number
  readonly waiters: Waiter[]
}

interface IntrospectorOptions {
  lookup: Lookup
  watch: Watch
  stats: GateStats
  timeoutMs: number
}

/**
 * Asks about tokens in batches: what comes in one turn of the event loop goes in one POST, and while
 * enough of them are on their way, what comes is kept for the next.
 */
export class Introspector {
  readonly #lookup: Lookup
  readonly #watch: Watch
  readonly #stats: GateStats
  readonly #timeoutMs: number
  /** By the whole token: waiting or on its way. */
  readonly #slots = new Map<string, Slot>()
  #waiting: Slot[] = []
  #scheduled = false
  #underWay = 0
  #closed = false

  constructor({ lookup, watch, stats, timeoutMs }: IntrospectorOptions) {
    this.#lookup = lookup
    this.#watch = watch
    this.#stats = stats
    this.#timeoutMs = timeoutMs
  }

  /**
   * The token's grant, already watched; every caller gets one of its own.
   * @throws GateError `invalid_token`, `auth_unavailable`
   */
  introspect(token: string): Promise<LiveGrant> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        return reject(new GateError('auth_unavailable', 'the gate is closed'))
      }
      const known = this.#slots.get(token)
      if (known !== undefined) {
        // An answer on its way is as good as a new one: the watch checks it against every
        // revocation that has come since it was asked for.
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

  /** Refuses everyone who waits. */
  close(): void {
    this.#closed = true
    this.#refuse([...this.#slots.values()], new GateError('auth_unavailable', 'the gate is closed'))
    this.#waiting = []
  }

  #schedule(): void {
    if (this.#scheduled || this.#underWay >= authConnections || this.#waiting.length === 0) {
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
    // An error costs its stack; on this path there is seldom one.
    if (expired.length > 0) {
      this.#refuse(expired, new GateError('auth_unavailable', 'auth is too slow'))
    }
    while (this.#waiting.length > 0 && this.#underWay < authConnections) {
      this.#send(this.#waiting.splice(0, maxIntrospections))
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
    this.#underWay++
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
        this.#underWay--
        this.#schedule()
      })
  }

  /** From the answer to the watch in one synchronous step. */
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
