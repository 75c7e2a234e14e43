import { defined } from '@portcullis/contracts/defined'
import { coversToken, type RevocationEvent, type Selector } from '@portcullis/contracts/revocations'
import {
  type AskedAt,
  digestOf,
  type FeedRead,
  type Joined,
  type Joining,
  type Lease,
  type Leases,
  type NodeInstance,
} from '../production.js'

/** Follows `apps/auth/src/registry/lua`: each method is one script or one command, in one step. */

export interface SimulatedToken {
  jti: string
  identity: string
  subject: string
  labels: readonly string[]
  parents: readonly string[]
  issuedUs: number
}

/** The scope of every token. */
export const tokenScope = 'subscribe:* publish:*'

export type PartState = 'pending' | 'acked' | 'fenced'

export interface ReceiptPart {
  id: string
  us: number
  cutoffUs: number
  selector: Selector
  /** By `<instance>:<node>`. */
  parts: Map<string, PartState>
}

interface FeedEntry {
  id: string
  sequence: number
  us: number
  previous: string
  event: RevocationEvent
}

interface LeaseRecord {
  renewedUs: number
  fenceMs: number
  fencedUs: number | undefined
}

/** The data of one partition. Plain, so that a copy is a backup. */
interface Data {
  clockUs: number
  /** The mark of the Redis that knows every node. */
  roster: string
  nodes: Map<string, { instance: string; since: number; identity: string }>
  leases: Map<string, LeaseRecord>
  feed: FeedEntry[]
  receipts: Map<string, ReceiptPart>
  tokens: Map<string, SimulatedToken & { digest: string; revoked: boolean }>
  /** Identities that callers have registered. */
  identities: Set<string>
  /** By identity, then `*`, `s:<subject>`, `l:<label>` or `p:<jti>`. */
  cutoffs: Map<string, Map<string, number>>
  cutoffAllUs: number
}

export interface PartitionOptions {
  partition: number
  mark: string
  feedMaxLength: number
  fenceMs: number
  /** Redis' wall clock, in microseconds. */
  timeUs: () => number
  /** Called after each new receipt, and after each settled part. */
  onReceipt: (partition: number, receipt: ReceiptPart) => void
}

/** One partition of the registry. */
export class Partition {
  readonly #options: PartitionOptions
  /** The mark of this Redis in its current turn as the primary. */
  mark: string
  data: Data

  constructor(options: PartitionOptions) {
    this.#options = options
    this.mark = options.mark
    this.data = {
      clockUs: 0,
      roster: options.mark,
      nodes: new Map(),
      leases: new Map(),
      feed: [],
      receipts: new Map(),
      tokens: new Map(),
      identities: new Set(),
      cutoffs: new Map(),
      cutoffAllUs: -1,
    }
  }

  /** XREVRANGE feed + - COUNT 1 */
  get end(): string {
    return this.data.feed.at(-1)?.id ?? '0-0'
  }

  /** tokens/issue.lua; by default the text of a token is its id. */
  issue(
    token: Omit<SimulatedToken, 'issuedUs'>,
    digest = digestOf(token.jti),
  ): SimulatedToken | 'parent_ended' {
    const [parent] = token.parents
    if (parent !== undefined && this.introspect(parent, token.identity) === undefined) {
      return 'parent_ended'
    }
    const issued = { ...token, issuedUs: this.#moment() }
    this.data.tokens.set(token.jti, { ...issued, digest, revoked: false })
    return issued
  }

  /** tokens/introspect.lua; without a digest, asked by id. */
  introspect(jti: string, identity: string, digest = ''): SimulatedToken | undefined {
    const token = this.data.tokens.get(jti)
    if (digest !== '' && token?.digest !== digest) {
      return undefined
    }
    if (token === undefined || token.identity !== identity || token.revoked) {
      return undefined
    }
    if (token.issuedUs <= this.data.cutoffAllUs) {
      return undefined
    }
    const cutoffs = this.data.cutoffs.get(identity)
    const members = [
      '*',
      `s:${token.subject}`,
      ...token.labels.map((label) => `l:${label}`),
      ...token.parents.map((parent) => `p:${parent}`),
    ]
    const cut = members.some((member) => token.issuedUs <= (cutoffs?.get(member) ?? -1))
    return cut ? undefined : { ...token }
  }

  /** identities/create.lua; returns the time, or undefined if the name is taken. */
  register(identity: string): number | undefined {
    if (this.data.identities.has(identity)) {
      return undefined
    }
    this.data.identities.add(identity)
    return this.#moment()
  }

  /** TIME, in microseconds */
  get timeUs(): number {
    return this.#options.timeUs()
  }

  /** revocations/revoke.lua */
  revoke(id: string, selector: Selector): { us: number; cutoffUs: number } {
    const us = this.#moment()
    this.#mark(selector, us)
    const previous = this.data.feed.at(-1)
    const sequence = (previous?.sequence ?? 0) + 1
    const event = { id, at: Math.floor(us / 1000), selector, cutoffUs: us }
    const entry = { id: `${sequence}-${us}`, sequence, us, previous: this.end, event }
    this.data.feed.push(entry)
    this.data.feed.splice(0, this.data.feed.length - this.#options.feedMaxLength)
    this.#openRoster()
    const parts = new Map<string, PartState>()
    for (const [part, { fencedUs }] of this.data.leases) {
      parts.set(part, fencedUs === undefined ? 'pending' : 'fenced')
    }
    const receipt: ReceiptPart = { id, us, cutoffUs: us, selector, parts }
    this.data.receipts.set(id, receipt)
    this.#options.onReceipt(this.#options.partition, receipt)
    return { us, cutoffUs: us }
  }

  /** XRANGE from the cursor's event on, with the checks of `readPartition`. */
  read(from: { id: string; sequence: number }, limit: number): FeedEntry[] | 'lost' {
    const entries = this.data.feed.filter(({ sequence }) => sequence >= from.sequence)
    if (entries.length === 0) {
      return from.id === '0-0' ? [] : 'lost'
    }
    const following = entries[0]?.id === from.id ? entries.slice(1) : entries
    let last = from.id
    for (const entry of following.slice(0, limit)) {
      if (entry.previous !== last) {
        return 'lost'
      }
      last = entry.id
    }
    return following.slice(0, limit)
  }

  /** nodes/join.lua */
  join({
    node,
    instance,
    identity,
    since: own,
  }: Joining):
    | 'node_name_taken'
    | 'node_replaced'
    | { before: string; end: string; since: number } {
    const holder = this.data.nodes.get(node)
    const part = `${instance}:${node}`
    if (holder !== undefined && holder.identity !== identity) {
      return 'node_name_taken'
    }
    const isHolder = holder?.instance === instance
    if (holder !== undefined && !isHolder) {
      if (own === undefined ? this.data.leases.has(part) : own < holder.since) {
        return 'node_replaced'
      }
    }
    const since = isHolder
      ? holder.since
      : (own ?? Math.max(this.#moment(), (holder?.since ?? 0) + 1))
    this.data.nodes.set(node, { instance, since, identity })
    this.joinPart(part)
    return { before: holder?.instance ?? '', end: this.end, since }
  }

  /** auth-part/join.lua */
  joinPart(part: string): void {
    if (!this.data.leases.has(part)) {
      this.data.leases.set(part, this.#newLease())
    }
  }

  /** nodes/leave.lua */
  leave(node: string, instance: string): number | undefined {
    if (this.data.nodes.get(node)?.instance === instance) {
      this.data.nodes.delete(node)
    }
    const lease = this.data.leases.get(`${instance}:${node}`)
    if (lease === undefined) {
      return undefined
    }
    lease.fencedUs = this.#now()
    this.data.clockUs = lease.fencedUs
    return lease.fencedUs
  }

  /** nodes/renew-lease.lua */
  renew(
    node: string,
    instance: string,
    since: number,
    asked: { us: number; run: string } | undefined,
  ): 'node_replaced' | 'node_not_joined' | (AskedAt & { counted: boolean }) {
    const known = this.data.nodes.get(node)
    const lease = this.data.leases.get(`${instance}:${node}`)
    if (known !== undefined && known.instance !== instance && known.since > since) {
      return 'node_replaced'
    }
    if (known?.instance !== instance || lease === undefined) {
      return 'node_not_joined'
    }
    return this.#renewPart(`${instance}:${node}`, lease, asked)
  }

  /** auth-part/renew.lua */
  renewPart(
    part: string,
    asked: { us: number; run: string } | undefined,
  ): 'not_joined' | (AskedAt & { counted: boolean }) {
    const lease = this.data.leases.get(part)
    return lease === undefined ? 'not_joined' : this.#renewPart(part, lease, asked)
  }

  /** nodes/read-leases.lua */
  leases(): Leases {
    this.#openRoster()
    const { partition } = this.#options
    const leases = [...this.data.leases].map(([part, { fencedUs, ...lease }]): Lease => {
      const colon = part.indexOf(':')
      const [instance, node] = [part.slice(0, colon), part.slice(colon + 1)]
      const waitingUs = this.#waitingUs(part)
      return {
        instance,
        node,
        ...lease,
        ...defined({ fencedUs }),
        partition,
        run: this.mark,
        current: this.data.nodes.get(node)?.instance === instance,
        ...defined({ waitingUs }),
      }
    })
    const end = { partition, run: this.mark, us: this.data.feed.at(-1)?.us ?? 0 }
    return { leases, ends: [end], missing: [] }
  }

  /** nodes/fence.lua */
  fence(
    part: string,
    { run, renewedUs }: Pick<Lease, 'run' | 'renewedUs'>,
    overdueUs: number | undefined,
  ): number | undefined {
    const lease = this.data.leases.get(part)
    if (lease === undefined || lease.fencedUs !== undefined || run !== this.mark) {
      return
    }
    if (overdueUs === undefined ? lease.renewedUs !== renewedUs : !this.#waits(part, overdueUs)) {
      return
    }
    lease.fencedUs = this.#now()
    this.data.clockUs = lease.fencedUs
    return lease.fencedUs
  }

  /** nodes/forget.lua */
  forget(node: string, instance: string, fencedUs: number): void {
    const part = `${instance}:${node}`
    if (this.data.leases.get(part)?.fencedUs !== fencedUs) {
      return
    }
    this.data.leases.delete(part)
    if (this.data.nodes.get(node)?.instance === instance) {
      this.data.nodes.delete(node)
    }
  }

  /** ZRANGEBYLEX pending: returns the revocations up to a microsecond that wait for a part. */
  pending(part: string, appliedUs: number): string[] {
    return [...this.data.receipts.values()]
      .filter(({ us, parts }) => us <= appliedUs && parts.get(part) === 'pending')
      .map(({ id }) => id)
  }

  /** nodes/settle-receipt-parts.lua */
  settle(
    { node, instance }: NodeInstance,
    ids: readonly string[],
    state: 'acked' | 'fenced',
  ): void {
    const part = `${instance}:${node}`
    for (const id of ids) {
      const receipt = this.data.receipts.get(id)
      if (receipt?.parts.get(part) !== 'pending') {
        continue
      }
      receipt.parts.set(part, state)
      this.#options.onReceipt(this.#options.partition, receipt)
    }
  }

  #renewPart(
    part: string,
    lease: LeaseRecord,
    asked: { us: number; run: string } | undefined,
  ): AskedAt & { counted: boolean } {
    const reply = { end: this.end, run: this.mark }
    const waitingUs = this.#waitingUs(part)
    if (waitingUs !== undefined && (asked?.run !== this.mark || waitingUs <= asked.us)) {
      return { ...reply, counted: false }
    }
    lease.renewedUs = this.#moment()
    lease.fencedUs = undefined
    return { ...reply, counted: true }
  }

  #mark(selector: Selector, cutoffUs: number): void {
    const { data } = this
    if ('all' in selector) {
      data.cutoffAllUs = Math.max(data.cutoffAllUs, cutoffUs)
    } else if ('jti' in selector) {
      const token = data.tokens.get(selector.jti)
      if (token === undefined) {
        return
      }
      if (token.issuedUs <= cutoffUs) {
        token.revoked = true
      }
      if (selector.cascade === true) {
        this.#cutOff(token.identity, `p:${selector.jti}`, cutoffUs)
      }
    } else {
      const { subject, label } = { subject: undefined, label: undefined, ...selector }
      const member =
        subject !== undefined ? `s:${subject}` : label !== undefined ? `l:${label}` : '*'
      this.#cutOff(selector.identity, member, cutoffUs)
    }
  }

  #cutOff(identity: string, member: string, cutoffUs: number): void {
    const cutoffs = this.data.cutoffs.get(identity) ?? new Map<string, number>()
    this.data.cutoffs.set(identity, cutoffs)
    cutoffs.set(member, Math.max(cutoffs.get(member) ?? -1, cutoffUs))
  }

  /** After a change of the Redis, adds a part for unknown nodes, whose joins may be lost writes. */
  #openRoster(): void {
    if (this.data.roster === this.mark) {
      return
    }
    this.data.roster = this.mark
    this.data.leases.set(`${this.mark}:(unknown)`, this.#newLease())
  }

  #newLease(): LeaseRecord {
    return { renewedUs: this.#moment(), fenceMs: this.#options.fenceMs, fencedUs: undefined }
  }

  /** Returns the commit time of the oldest revocation that waits for a part. */
  #waitingUs(part: string): number | undefined {
    // Receipts are in the order of their commits.
    for (const { us, parts } of this.data.receipts.values()) {
      if (parts.get(part) === 'pending') {
        return us
      }
    }
    return undefined
  }

  #waits(part: string, untilUs: number): boolean {
    return (this.#waitingUs(part) ?? Number.POSITIVE_INFINITY) <= untilUs
  }

  /** Returns the time of a new event: a microsecond that no other event has. */
  #moment(): number {
    this.data.clockUs = this.#tick()
    return this.data.clockUs
  }

  /** Returns the time, never before that of an earlier event. */
  #now(): number {
    return Math.max(this.#options.timeUs(), this.data.clockUs)
  }

  /** Returns the next free microsecond. */
  #tick(): number {
    return Math.max(this.#options.timeUs(), this.data.clockUs + 1)
  }
}

/** Returns true if a receipt covers a token. */
export function covers(receipt: ReceiptPart, token: SimulatedToken): boolean {
  return coversToken(receipt, token)
}

export type { FeedEntry, FeedRead, Joined, Leases }
