import type { Disconnect } from '@portcullis/protocol'
import { HubError } from './errors.js'

/** A connection as the hub knows it. */
export interface Member {
  readonly id: string
  readonly identity: string
  readonly subject: string
  /** Takes a whole WebSocket frame that other members get too. */
  deliver(frame: Buffer): void
  end(disconnect: Disconnect): void
  /** The node has no lease from here on: nothing that has not left the process may leave it. */
  hold(): void
}

/** Where publications of other nodes come from. */
export interface Backplane {
  /** Resolves when this node gets the channel's publications. Rejects when it cannot be told now. */
  join(channel: string): Promise<void>
  leave(channel: string): void
}

interface Channel {
  readonly members: Set<Member>
  /** Settles when the backplane has confirmed the node's own subscription, or refused it. */
  readonly joined: Promise<void>
  /** Subscribers that await `joined`: the channel is wanted, though it has no members yet. */
  awaiting: number
}

/** Who is on this node: its connections, and for each channel its subscribers among them. */
export class Hub {
  readonly #backplane: Backplane
  readonly #members = new Map<string, Member>()
  readonly #subjects = new Map<string, Set<Member>>()
  readonly #channels = new Map<string, Channel>()
  #subscriptions = 0

  constructor(backplane: Backplane) {
    this.#backplane = backplane
  }

  get size(): number {
    return this.#members.size
  }

  get counts(): { clients: number; users: number; subscriptions: number; channels: number } {
    return {
      clients: this.#members.size,
      users: this.#subjects.size,
      subscriptions: this.#subscriptions,
      channels: this.#channels.size,
    }
  }

  members(): IterableIterator<Member> {
    return this.#members.values()
  }

  /** The connections of one subject, of whatever identity. */
  of(subject: string): readonly Member[] {
    return [...(this.#subjects.get(subject) ?? [])]
  }

  add(member: Member): void {
    this.#members.set(member.id, member)
    const same = this.#subjects.get(member.subject)
    if (same === undefined) this.#subjects.set(member.subject, new Set([member]))
    else same.add(member)
  }

  /** Forgets a connection. Its subscriptions are left by whoever keeps their list. */
  remove(member: Member): void {
    if (!this.#members.delete(member.id)) return
    const same = this.#subjects.get(member.subject)
    same?.delete(member)
    if (same?.size === 0) this.#subjects.delete(member.subject)
  }

  /**
   * Subscribes `member`, once the backplane has confirmed that this node gets the channel.
   * `stillWanted` is asked at that moment: the connection may have closed or changed its mind.
   * Nothing is awaited between that answer and the subscription.
   *
   * @returns whether it was still wanted
   * @throws HubError backplane_unavailable
   */
  async subscribe(name: string, member: Member, stillWanted: () => boolean): Promise<boolean> {
    const channel = this.#channels.get(name) ?? this.#open(name)
    channel.awaiting += 1
    try {
      await channel.joined
    } catch (error) {
      throw new HubError('backplane_unavailable', { cause: error })
    } finally {
      channel.awaiting -= 1
    }
    if (!stillWanted()) {
      this.#closeIfUnused(name, channel)
      return false
    }
    if (!channel.members.has(member)) {
      channel.members.add(member)
      this.#subscriptions += 1
    }
    return true
  }

  unsubscribe(name: string, member: Member): void {
    const channel = this.#channels.get(name)
    if (channel === undefined || !channel.members.delete(member)) return
    this.#subscriptions -= 1
    this.#closeIfUnused(name, channel)
  }

  /** Gives one frame to every subscriber on this node. Returns how many there were. */
  deliver(name: string, frame: () => Buffer): number {
    const members = this.#channels.get(name)?.members
    if (members === undefined || members.size === 0) return 0
    const built = frame()
    for (const member of members) member.deliver(built)
    return members.size
  }

  #open(name: string): Channel {
    const joined = this.#backplane.join(name)
    const channel: Channel = { members: new Set(), joined, awaiting: 0 }
    this.#channels.set(name, channel)
    // A refusal is for those who wait now; whoever comes next asks the backplane again.
    joined.catch(() => {
      if (this.#channels.get(name) === channel) this.#channels.delete(name)
    })
    return channel
  }

  #closeIfUnused(name: string, channel: Channel): void {
    if (channel.members.size > 0 || channel.awaiting > 0) return
    if (this.#channels.get(name) !== channel) return
    this.#channels.delete(name)
    this.#backplane.leave(name)
  }
}
