import type { Connections, Inquire } from '@portcullis/contracts/feed'
import type { Active } from '@portcullis/contracts/introspection'
import { coversToken, type RevocationEvent } from '@portcullis/contracts/revocations'
import type { FastifyBaseLogger } from 'fastify'
import { GateError } from '../errors.js'
import type { GateStats } from '../stats.js'
import { countConnections } from './count-connections.js'
import { Effects, type IsOver, type Work } from './effects.js'
import { type Clock, Expiry } from './expiry.js'
import { claimsOf, type EndReason, type Holder, LiveGrant } from './grant.js'
import { GrantIndex } from './grant-index.js'
import type { Lease } from './lease.js'

/** How long a grant may wait for its first holder, in milliseconds. */
const maxUnheldMs = 10_000

/** The position in the feed before an introspection. */
export interface Mark {
  /** The number of the first event that the answer may not reflect, counted since the start. */
  readonly next: number
  /** How often the feed had skipped events. */
  readonly epoch: number
  /** When the introspection began, on the wall clock and the monotonic clock of this process. */
  readonly wallMs: number
  readonly monotonicMs: number
}

/** The result of one revocation, for its acknowledgement. */
export interface Applied {
  id: string
  connectionsClosed: number
}

/**
 * Keeps every grant in use, and ends it when its token is revoked or expires.
 *
 * There is no gap between an introspection and the watch. `begin` notes the position in the feed before
 * the introspection. `register` checks the answer against every event since, in the same synchronous step
 * that registers the grant. `apply` is synchronous too: an event comes before that step, and `register`
 * finds it, or after, and `apply` finds the grant.
 */
export class Watch {
  readonly #log: FastifyBaseLogger
  readonly #stats: GateStats
  readonly #index = new GrantIndex()
  readonly #expiry: Expiry<LiveGrant>
  /** The marks of introspections in flight, oldest first. */
  readonly #marks = new Set<Mark>()
  /** The events since the oldest mark. */
  #recent: RevocationEvent[] = []
  /** The number of the first event in `#recent`. */
  #first = 0
  #epoch = 0
  readonly #lease: Pick<Lease, 'held' | 'leftMs'>
  readonly #effects: Effects
  #synced = false
  /** The registry's clock minus this process's, as the last answer showed. */
  #registryAheadMs = 0

  constructor(
    log: FastifyBaseLogger,
    stats: GateStats,
    lease: Pick<Lease, 'held' | 'leftMs'>,
    clock?: Clock,
  ) {
    this.#log = log
    this.#lease = lease
    this.#effects = new Effects(lease)
    this.#stats = stats
    this.#expiry = new Expiry((grant) => this.#end(grant, 'expired'), clock)
  }

  get size(): number {
    return this.#index.size
  }

  /** How many events are kept for introspections in flight. */
  get kept(): number {
    return this.#recent.length
  }

  /**
   * True if the gate may admit tokens: the feed has skipped no event, and the lease is held. The feed's
   * connection may be lost for a moment: receipts then wait for this node, which applies the missed
   * revocations when the feed is back, or gives up when the lease runs out.
   */
  get inSync(): boolean {
    return this.#synced && this.#lease.held
  }

  /**
   * Returns the time of the registry's clock in Unix milliseconds, as the last answer of auth showed it;
   * before the first, this process's time.
   */
  registryTime(): number {
    return Date.now() + this.#registryAheadMs
  }

  /** Call when every event of the feed is applied, with none skipped. */
  synced(): void {
    this.#synced = true
  }

  /** Call when the feed has skipped events. Answers to introspections in flight are then refused. */
  interrupted(): void {
    this.#synced = false
    this.#epoch++
  }

  /**
   * Notes the position in the feed, before an introspection. `finish` must follow.
   * @throws GateError `auth_unavailable` while the feed is not in sync, or the lease is out
   */
  begin(): Mark {
    this.#needSync()
    const mark = {
      next: this.#first + this.#recent.length,
      epoch: this.#epoch,
      wallMs: Date.now(),
      monotonicMs: performance.now(),
    }
    this.#marks.add(mark)
    return mark
  }

  /** Drops the mark, and the events that only this mark needed. */
  finish(mark: Mark): void {
    this.#marks.delete(mark)
    const [oldest] = this.#marks
    const from = oldest === undefined ? this.#recent.length : oldest.next - this.#first
    if (from === 0) {
      return
    }
    this.#recent.splice(0, from)
    this.#first += from
  }

  /**
   * Registers the answer to an introspection that began at `mark`.
   * @throws GateError `invalid_token` when the token was revoked or has expired meanwhile,
   * `auth_unavailable` when the feed has skipped events meanwhile
   */
  register(active: Active, token: string, mark: Mark): LiveGrant {
    this.#needSync()
    if (mark.epoch !== this.#epoch) {
      throw outOfSync()
    }
    const expiresAt = startOf(mark) + active.expires_in_ms
    this.#registryAheadMs = active.exp * 1000 - expiresAt
    const grant = new LiveGrant(claimsOf(active, expiresAt), token)
    const since = this.#recent.slice(mark.next - this.#first)
    if (since.some((event) => coversToken(event, grant))) {
      throw new GateError('invalid_token', 'the token was revoked meanwhile')
    }
    return this.#add(grant)
  }

  /**
   * Registers another grant of a watched token, for another request. The watched grant is as good as a new
   * answer of auth: every revocation of its token would have ended it.
   *
   * @throws GateError `invalid_token` when the grant has ended, `auth_unavailable` while the feed is not in
   * sync, or the lease is out
   */
  copy(grant: LiveGrant): LiveGrant {
    this.#needSync()
    this.#needWatched(grant)
    return this.#add(new LiveGrant(grant, grant.token))
  }

  /**
   * See `Gate.hold`. A grant that is no longer watched counts as ended. `isConnection` returns false for
   * an HTTP request without an answer, which receipts do not count as a connection.
   */
  hold(grant: LiveGrant, holder: Holder, isConnection = always): () => void {
    if (grant.ended !== undefined || !this.#index.has(grant)) {
      this.#call(holder, grant.ended ?? 'expired')
      return () => undefined
    }
    if (!grant.inUse) {
      this.#expiry.set(grant, grant.expiresAt)
    }
    // A new object for each call: the same function may hold twice and release once.
    const hold = { ended: holder, isConnection }
    grant.add(hold)
    return () => {
      grant.remove(hold)
      if (!grant.inUse) {
        this.#forget(grant)
      }
    }
  }

  /** See `Gate.effect`. A grant that is no longer watched counts as ended. */
  async effect<Result>(
    grant: LiveGrant,
    work: Work<Result>,
    isOver: IsOver,
    lease?: Pick<Lease, 'leftMs'>,
  ): Promise<Result> {
    this.#needWatched(grant)
    return this.#effects.run(grant, work, isOver, lease)
  }

  /** See `Effects.over`. */
  effectsOver(which?: { all?: boolean }): Promise<void> | undefined {
    return this.#effects.over(which)
  }

  /** True if an effect of any grant is under way. */
  get hasEffects(): boolean {
    return this.#effects.size > 0
  }

  /**
   * Ends every grant that the revocations cover, in one synchronous step. Effects of these grants may
   * still be under way: acknowledge the revocations only after `effectsOver`.
   */
  apply(events: readonly RevocationEvent[]): Applied[] {
    if (this.#marks.size === 0) {
      this.#first += events.length
    } else {
      for (const event of events) {
        this.#recent.push(event)
      }
    }
    return events.map((event) => {
      this.#effects.cover(event)
      let connectionsClosed = 0
      for (const grant of this.#index.candidates(event)) {
        if (coversToken(event, grant)) {
          connectionsClosed += this.#end(grant, 'revoked')
        }
      }
      return { id: event.id, connectionsClosed }
    })
  }

  /** Answers auth's inquiry about connections. */
  countConnections(inquiry: Inquire): Pick<Connections, 'connections' | 'tokens'> {
    return countConnections(this.#index.candidates(inquiry), inquiry)
  }

  /** Returns the ids of the watched tokens. */
  tokenIds(): readonly string[] {
    return this.#index.tokenIds()
  }

  /** Returns the text of a watched token; undefined if the token is no longer watched. */
  tokenOf(jti: string): string | undefined {
    return this.#index.ofToken(jti)[0]?.token
  }

  /** Ends every grant of a token that auth reports as inactive. */
  endToken(jti: string): void {
    for (const grant of this.#index.ofToken(jti)) {
      this.#end(grant, grant.expiresAt <= Date.now() ? 'expired' : 'revoked')
    }
  }

  /** Ends every grant as revoked. */
  endAll(): void {
    for (const grant of this.#index.candidates({ selector: { all: true } })) {
      this.#end(grant, 'revoked')
    }
  }

  /** True if any grant has a holder. */
  get inUse(): boolean {
    return this.#index.candidates({ selector: { all: true } }).some((grant) => grant.inUse)
  }

  /** Ends every expired grant. A timer calls this once a second. */
  expire(): void {
    this.#expiry.run()
  }

  close(): void {
    this.interrupted()
    this.#expiry.clear()
  }

  #add(grant: LiveGrant): LiveGrant {
    const now = Date.now()
    if (grant.expiresAt <= now) {
      throw new GateError('invalid_token', 'the token has expired')
    }
    this.#index.add(grant)
    this.#expiry.set(grant, Math.min(grant.expiresAt, now + maxUnheldMs))
    this.#stats.live = this.#index.size
    return grant
  }

  #needSync(): void {
    if (!this.inSync) {
      throw outOfSync()
    }
  }

  #needWatched(grant: LiveGrant): void {
    if (!this.#index.has(grant)) {
      throw new GateError('invalid_token', 'the token has ended')
    }
  }

  /** Calls the holders, and returns how many of them are connections. */
  #end(grant: LiveGrant, reason: EndReason): number {
    if (grant.ended !== undefined) {
      return 0
    }
    this.#forget(grant)
    grant.ended = reason
    this.#stats[reason]++
    const holders = grant.takeHolders()
    const connections = holders.filter((holder) => holder.isConnection()).length
    for (const { ended } of holders) {
      this.#call(ended, reason)
    }
    return connections
  }

  #forget(grant: LiveGrant): void {
    this.#index.delete(grant)
    this.#expiry.delete(grant)
    this.#stats.live = this.#index.size
  }

  /** A holder that throws must not keep the others from closing. */
  #call(holder: Holder, reason: EndReason): void {
    try {
      holder(reason)
    } catch (err) {
      this.#log.error({ err, reason }, 'gate: a holder of an ended grant failed to close')
    }
  }
}

const always = () => true

function outOfSync(): GateError {
  return new GateError(
    'auth_unavailable',
    'the revocation feed is not in sync, or the lease is out',
  )
}

/**
 * Returns when an introspection began, in Unix milliseconds of this process's present clock: the time
 * until the expiry counts from before the registry answered. If one of the two clocks was set or stood
 * still since, the earlier time counts.
 */
function startOf({ wallMs, monotonicMs }: Mark): number {
  return Math.min(wallMs, Date.now() - (performance.now() - monotonicMs))
}
