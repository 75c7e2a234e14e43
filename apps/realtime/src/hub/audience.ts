import type { TagFilter } from '@portcullis/protocol'
import type { Member } from './member.js'
import { frames, Outgoing } from './outgoing.js'
import { SharedFilters } from './shared-filters.js'

/** How a subscriber receives publications. Default: all of them, whole. */
export interface SubscriptionOptions {
  /** Each publication as the difference to the previous one. */
  delta?: boolean | undefined
  /** Only publications that match. */
  filter?: TagFilter | undefined
}

/** A subscriber with a filter or deltas. */
interface FilteredSubscriber {
  /** Last offset that the subscriber has. */
  readonly upTo: number
  readonly filter: TagFilter | undefined
  readonly delta: boolean
  /** With deltas: the payload that the subscriber received last. */
  previous: Buffer | undefined
}

/** The subscribers of a channel, and what each receives of its publications. */
export class Audience {
  /** Subscribers without options, with the last offset that each has. */
  readonly #plain = new Map<Member, number>()
  /** Made when needed: in most channels no subscriber has options. */
  #filtered: Map<Member, FilteredSubscriber> | undefined
  readonly #filters = new SharedFilters()

  get size(): number {
    return this.#plain.size + (this.#filtered?.size ?? 0)
  }

  members(): Member[] {
    return [...this.#plain.keys(), ...(this.#filtered?.keys() ?? [])]
  }

  /** Returns the members whose start position is after this offset. */
  startedAfter(offset: number): Member[] {
    const plain = [...this.#plain].filter(([, upTo]) => upTo > offset)
    const filtered = [...(this.#filtered ?? [])].filter(([, { upTo }]) => upTo > offset)
    return [...plain, ...filtered].map(([member]) => member)
  }

  /** Returns true if the member was new. */
  add(member: Member, upTo: number, { delta = false, filter }: SubscriptionOptions): boolean {
    const wasMember = this.delete(member)
    if (filter === undefined && !delta) {
      this.#plain.set(member, upTo)
    } else {
      const shared = filter && this.#filters.share(filter)
      this.#filtered ??= new Map()
      this.#filtered.set(member, { upTo, filter: shared, delta, previous: undefined })
    }
    return !wasMember
  }

  /** Returns true if it was a member. */
  delete(member: Member): boolean {
    if (this.#plain.delete(member)) {
      return true
    }
    const subscriber = this.#filtered?.get(member)
    if (subscriber === undefined) {
      return false
    }
    if (subscriber.filter !== undefined) {
      this.#filters.release(subscriber.filter)
    }
    this.#filtered?.delete(member)
    if (this.#filtered?.size === 0) {
      this.#filtered = undefined
    }
    return true
  }

  /** Sends a publication to the members that should receive it; returns their number. */
  deliver(channel: string, encoded: Buffer, offset?: number): number {
    const filtered = this.#filtered
    const outgoing = filtered && new Outgoing(channel, encoded, offset)
    const frame =
      outgoing?.frame ?? frames((codec) => codec.publicationPush(channel, encoded, offset))
    let delivered = 0
    for (const [member, upTo] of this.#plain) {
      if (offset !== undefined && offset <= upTo) {
        continue
      }
      member.deliver(frame(member.codec))
      delivered += 1
    }
    if (filtered === undefined || outgoing === undefined) {
      return delivered
    }
    for (const [member, each] of filtered) {
      if (offset !== undefined && offset <= each.upTo) {
        continue
      }
      if (each.filter !== undefined && !outgoing.matches(each.filter)) {
        continue
      }
      member.deliver(
        each.delta ? outgoing.difference(member.codec, each.previous) : frame(member.codec),
      )
      if (each.delta) {
        each.previous = outgoing.payload(member.codec)
      }
      delivered += 1
    }
    return delivered
  }
}
