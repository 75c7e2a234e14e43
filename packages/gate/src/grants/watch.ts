import type { Connections, Inquire } from '@portcullis/contracts/feed'
import type { Active } from '@portcullis/contracts/introspection'
import { coversToken, type RevocationEvent } from '@portcullis/contracts/revocations'
import type { FastifyBaseLogger } from 'fastify'
import { GateError } from '../errors.js'
import type { GateStats } from '../stats.js'
import { countConnections } from './count-connections.js'
import { Effects, type IsOver, type Work } from './effects.js'
import { type Clock, Expiry } from './expiry.js'
import { type EndReason, type Holder, LiveGrant } from './grant.js'
import { GrantIndex } from './grant-index.js'
import type { Lease } from './lease.js'

/** How long a grant may wait for its first holder, in milliseconds. */
const unheldMs = 10_000

/** Where the feed stood when auth was asked. */
export interface Mark {
  /** Of the events counted since the start, the first that the answer may not know of. */
  readonly next: number
  /** Counts how often the feed has lost its place. */
  readonly epoch: number
}

/** What a revocation has closed, as an acknowledgement says it. */
export interface Applied {
  id: string
  connectionsClosed: number
}

/**
 * Every grant that something stands on, and the end of each: by a revocation or by its expiry.
 *
 * Nothing falls between an answer of auth and the watch: `begin` notes the place in the feed before
 * auth is asked, `register` checks the answer against every event since, in the same synchronous
 * step that registers the grant. `apply` is synchronous too, so an event comes before that step or
 * after it, and finds the grant either way.
 */
export class Watch {
  readonly #log: FastifyBaseLogger
  readonly #stats: GateStats
  readonly #index = new GrantIndex()
  readonly #expiry: Expiry<LiveGrant>
  /** In the order they began. */
  readonly #marks = new Set<Mark>()
  /** The events since the oldest mark. */
  #recent: RevocationEvent[] = []
  /** The number of the first of them. */
  #first = 0
  #epoch = 0
  readonly #lease: Pick<Lease, 'held' | 'leftMs'>
  readonly #effects: Effects
  #synced = false

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

  /** The events that are still kept; none while no answer is awaited. */
  get kept(): number {
    return this.#recent.length
  }

  /**
   * Whether something may be admitted. The connection of the feed may be away for a moment: a
   * revocation then waits for this node, and finds what was admitted when the feed is back. It may
   * not have skipped anything, and the lease bounds how long.
   */
  get inSync(): boolean {
    return this.#synced && this.#lease.held
  }

  /** Everything that the feed has told is applied, with nothing skipped. */
  synced(): void {
    this.#synced = true
  }

  /** The feed has skipped events: answers that are on their way prove nothing any more. */
  interrupted(): void {
    this.#synced = false
    this.#epoch++
  }

  /**
   * Notes the place in the feed, before auth is asked. `finish` must follow.
   * @throws GateError `auth_unavailable` while the feed is not in sync, or the lease is out
   */
  begin(): Mark {
    this.#needSync()
    const mark = { next: this.#first + this.#recent.length, epoch: this.#epoch }
    this.#marks.add(mark)
    return mark
  }

  /** Forgets the events that only this mark needed. */
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
   * Registers what auth has answered since `mark`.
   * @throws GateError `invalid_token` when it was revoked or has expired meanwhile,
   * `auth_unavailable` when the feed has lost its place meanwhile
   */
  register(active: Active, token: string, mark: Mark): LiveGrant {
    this.#needSync()
    if (mark.epoch !== this.#epoch) {
      throw outOfSync()
    }
    const grant = new LiveGrant(active, token)
    const since = this.#recent.slice(mark.next - this.#first)
    if (since.some((event) => coversToken(event, grant))) {
      throw new GateError('invalid_token', 'the token was revoked meanwhile')
    }
    const now = Date.now()
    if (grant.expiresAt <= now) {
      throw new GateError('invalid_token', 'the token has expired')
    }
    this.#index.add(grant)
    this.#expiry.set(grant, Math.min(grant.expiresAt, now + unheldMs))
    this.#stats.live = this.#index.size
    return grant
  }

  /**
   * See `Gate.hold`. A grant that is no longer watched counts as ended. `isConnection`
   * returns false for an HTTP request that has no answer yet: no receipt counts it as a connection.
   */
  hold(grant: LiveGrant, holder: Holder, isConnection = () => true): () => void {
    if (grant.ended !== undefined || !this.#index.has(grant)) {
      this.#call(holder, grant.ended ?? 'expired')
      return () => undefined
    }
    if (!grant.inUse) {
      this.#expiry.set(grant, grant.expiresAt)
    }
    // One function may hold twice: each hold is let go by itself.
    const own = { ended: holder, isConnection }
    grant.add(own)
    return () => {
      grant.remove(own)
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
    if (!this.#index.has(grant)) {
      throw new GateError('invalid_token', 'the token has ended')
    }
    return this.#effects.run(grant, work, isOver, lease)
  }

  /** See `Effects.over`. */
  effectsOver(which?: { all?: boolean }): Promise<void> | undefined {
    return this.#effects.over(which)
  }

  /** Whether an effect of any grant is under way. */
  get hasEffects(): boolean {
    return this.#effects.size > 0
  }

  /**
   * Ends every grant that the revocations cover, in one synchronous step. What these grants have under
   * way is over when `effectsOver` says so; only then may the revocations be acknowledged.
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

  /** What stands on which tokens, for auth to know. */
  countConnections(inquiry: Inquire): Pick<Connections, 'connections' | 'tokens'> {
    return countConnections(this.#index.candidates(inquiry), inquiry)
  }

  /** The ids of the tokens that are watched. */
  tokenIds(): readonly string[] {
    return this.#index.tokenIds()
  }

  /** The text of a watched token; undefined when it is watched no more. */
  tokenOf(jti: string): string | undefined {
    return this.#index.ofToken(jti)[0]?.token
  }

  /** Ends what stands on a token that auth has called inactive. */
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

  /** Whether a connection stands on any grant. */
  get inUse(): boolean {
    return this.#index.candidates({ selector: { all: true } }).some((grant) => grant.inUse)
  }

  /** Ends what is due; a timer does it once a second. */
  expire(): void {
    this.#expiry.run()
  }

  close(): void {
    this.interrupted()
    this.#expiry.clear()
  }

  #needSync(): void {
    if (!this.inSync) {
      throw outOfSync()
    }
  }

  /** Returns the number of connections among the holders that were called. */
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
      this.#log.error({ err, reason }, 'gate: what stood on an ended grant failed to close')
    }
  }
}

function outOfSync(): GateError {
  return new GateError(
    'auth_unavailable',
    'the revocation feed is not in sync, or the lease is out',
  )
}
