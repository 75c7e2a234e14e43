import { coversToken, type RevocationEvent } from '@portcullis/contracts/revocations'
import { GateError } from '../errors.js'
import type { LiveGrant } from './grant.js'
import type { Lease } from './lease.js'

/**
 * How long an effect may be under way, in milliseconds. The store refuses writes after the deadline, so
 * an effect whose answer is lost is over by then.
 */
export const maxEffectMs = 2000

/** Writes to a store; `until` is the deadline on this process's monotonic clock, in milliseconds. */
export type Work<Result> = (until: number) => Promise<Result>

/** Returns true for an error that proves that the effect will not happen. */
export type IsOver = (error: unknown) => boolean

interface Effect {
  readonly grant: LiveGrant
  /** True if an applied revocation covers the grant. */
  covered: boolean
  readonly waiting: (() => void)[]
}

/**
 * Tracks the effects of grants that are under way: publications and other writes that the store has not
 * answered. A revocation is acknowledged only after the effects of every grant that it covers.
 */
export class Effects {
  readonly #lease: Pick<Lease, 'leftMs'>
  readonly #underWay = new Set<Effect>()

  constructor(lease: Pick<Lease, 'leftMs'>) {
    this.#lease = lease
  }

  get size(): number {
    return this.#underWay.size
  }

  /**
   * Checks the grant and the lease, and calls `work` in the same synchronous step. `lease` is the lease
   * that the grant depends on; default: the lease of the process.
   *
   * @throws GateError `invalid_token` when the grant has ended, `auth_unavailable` when the lease is
   * out; and whatever `work` throws
   */
  async run<Result>(
    grant: LiveGrant,
    work: Work<Result>,
    isOver: IsOver,
    lease = this.#lease,
  ): Promise<Result> {
    if (grant.ended !== undefined) {
      throw new GateError('invalid_token', 'the token has ended')
    }
    const until = deadlineOf(lease, maxEffectMs)
    const effect: Effect = { grant, covered: false, waiting: [] }
    this.#underWay.add(effect)
    let over = true
    try {
      return await work(until)
    } catch (error) {
      over = isOver(error)
      throw error
    } finally {
      if (over) {
        this.#finish(effect)
      } else {
        this.#finishAt(until, effect)
      }
    }
  }

  /** Marks the effects of every grant that a revocation covers, even if the grant ended before. */
  cover(event: RevocationEvent): void {
    for (const effect of this.#underWay) {
      effect.covered ||= coversToken(event, effect.grant)
    }
  }

  /**
   * Resolves when every effect that is marked now is over; with `all`, every effect that is under way
   * now. Returns undefined if there is no such effect, so that the caller can continue synchronously.
   */
  over({ all = false } = {}): Promise<void> | undefined {
    const awaited = [...this.#underWay].filter(({ covered }) => all || covered)
    if (awaited.length === 0) {
      return undefined
    }
    const each = awaited.map(({ waiting }) => new Promise<void>((resolve) => waiting.push(resolve)))
    return Promise.all(each).then(() => undefined)
  }

  #finishAt(until: number, effect: Effect): void {
    const leftMs = until - performance.now()
    if (leftMs <= 0) {
      this.#finish(effect)
    }
    // Checks again at the end: Node's timers may fire up to two milliseconds early.
    else {
      setTimeout(() => this.#finishAt(until, effect), leftMs).unref()
    }
  }

  #finish(effect: Effect): void {
    this.#underWay.delete(effect)
    for (const resolve of effect.waiting) {
      resolve()
    }
  }
}

/**
 * Returns when a lease runs out, on the clock of `performance.now()` in milliseconds; `maxMs` from now at
 * most.
 *
 * @throws GateError `auth_unavailable` when the lease is out
 */
export function deadlineOf(lease: Pick<Lease, 'leftMs'>, maxMs = Number.POSITIVE_INFINITY): number {
  // Read the clock before the lease: if the process is stopped in between, the deadline is too early.
  const now = performance.now()
  const { leftMs } = lease
  if (leftMs <= 0) {
    throw new GateError('auth_unavailable', 'the lease is out')
  }
  return now + Math.min(leftMs, maxMs)
}
