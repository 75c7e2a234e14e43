import type { TagFilter } from '@portcullis/protocol'
import type { Member } from './hub.js'
import { frames, Outgoing } from './outgoing.js'
import { SharedFilters } from './shared-filters.js'

/** What somebody wants of a channel; without wishes, every publication as it is. */
export interface Wishes {
  /** Each as the difference to the one that it was given before. */
  delta?: boolean | undefined
  /** Only those that match. */
  filter?: TagFilter | undefined
}

/** Somebody with wishes, and the offset up to which it has everything. */
interface Particular {
  readonly upTo: number
  readonly filter: TagFilter | undefined
  readonly delta: boolean
  /** What it was given last, as its form has it, if it wants deltas. */
  has: Buffer | undefined
}

/** Who is in a channel, and what of its publications each of them gets. */
export class Audience {
  /** Those without wishes, each with the offset up to which it has everything. */
  readonly #plain = new Map<Member, number>()
  /** In most channels nobody has any. */
  #particular: Map<Member, Particular> | undefined
  readonly #filters = new SharedFilters()

  get size(): number {
    return this.#plain.size + (this.#particular?.size ?? 0)
  }

  members(): Member[] {
    return [...this.#plain.keys(), ...(this.#particular?.keys() ?? [])]
  }

  /** Those who began further than at this offset. */
  beyond(offset: number): Member[] {
    const plain = [...this.#plain].filter(([, upTo]) => upTo > offset)
    const particular = [...(this.#particular ?? [])].filter(([, { upTo }]) => upTo > offset)
    return [...plain, ...particular].map(([member]) => member)
  }

  /** Says whether it was not in it yet. */
  add(member: Member, upTo: number, { delta = false, filter }: Wishes): boolean {
    const wasIn = this.delete(member)
    if (filter === undefined && !delta) {
      this.#plain.set(member, upTo)
    } else {
      const shared = filter && this.#filters.share(filter)
      this.#particular ??= new Map()
      this.#particular.set(member, { upTo, filter: shared, delta, has: undefined })
    }
    return !wasIn
  }

  /** Says whether it was in it. */
  delete(member: Member): boolean {
    if (this.#plain.delete(member)) {
      return true
    }
    const particular = this.#particular?.get(member)
    if (particular === undefined) {
      return false
    }
    if (particular.filter !== undefined) {
      this.#filters.release(particular.filter)
    }
    this.#particular?.delete(member)
    if (this.#particular?.size === 0) {
      this.#particular = undefined
    }
    return true
  }

  /** Gives everybody a publication who is to get it, and says how many that were. */
  give(channel: string, encoded: Buffer, offset?: number): number {
    const particular = this.#particular
    const outgoing = particular && new Outgoing(channel, encoded, offset)
    const frame =
      outgoing?.frame ?? frames((codec) => codec.publicationPush(channel, encoded, offset))
    let given = 0
    for (const [member, upTo] of this.#plain) {
      if (offset !== undefined && offset <= upTo) {
        continue
      }
      member.deliver(frame(member.codec))
      given += 1
    }
    if (particular === undefined || outgoing === undefined) {
      return given
    }
    for (const [member, each] of particular) {
      if (offset !== undefined && offset <= each.upTo) {
        continue
      }
      if (each.filter !== undefined && !outgoing.matches(each.filter)) {
        continue
      }
      member.deliver(each.delta ? outgoing.difference(member.codec, each.has) : frame(member.codec))
      if (each.delta) {
        each.has = outgoing.payload(member.codec)
      }
      given += 1
    }
    return given
  }
}
