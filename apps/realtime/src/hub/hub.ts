import type {
  ClientInfo,
  Codec,
  Disconnect,
  StreamPosition,
  Unsubscribe,
} from '@portcullis/protocol'
import { Audience, type Wishes } from './audience.js'
import { HubError } from './errors.js'
import type { SubscribeOrder } from './orders.js'
import { frames } from './outgoing.js'
import { type ArrivalPosition, type Recovery, Stream, type StreamRead } from './stream.js'

/** A connection as the hub knows it. */
export interface Member {
  readonly id: string
  readonly identity: string
  readonly subject: string
  readonly codec: Codec
  /** Takes a whole WebSocket frame that other members get too. */
  deliver(frame: Buffer): void
  end(disconnect: Disconnect): void
  /** The node has no lease from here on: nothing that has not left the process may leave it. */
  hold(): void
  /** The server puts it into a channel. Rejects when the backplane cannot do that now. */
  subscribe(order: SubscribeOrder): Promise<void>
  /** The server takes it out of a channel, if it is in it. */
  unsubscribe(channel: string, why: Unsubscribe): void
  /** Something in this channel can never be delivered to it: it has to subscribe anew. */
  lost(channel: string): void
}

/** Where publications of other nodes come from. */
export interface Backplane {
  /** Resolves when this node gets the channel's publications. Rejects when it cannot be told now. */
  join(channel: string): Promise<void>
  leave(channel: string): void
  /** Reads a channel's stream, a part at a time; see `StreamOptions`. Rejects when that cannot be done now. */
  read(channel: string, since?: StreamPosition): Promise<StreamRead>
  /** Begins a stream anew that has lost what was published at a position; see `StreamOptions`. */
  disown(channel: string, position: StreamPosition): Promise<boolean>
  /** Where streams end; undefined for one that nobody has begun, 'unknown' when it cannot be asked. */
  positions(
    channels: readonly string[],
  ): Promise<readonly (StreamPosition | undefined | 'unknown')[]>
}

export interface HubOptions {
  backplane: Backplane
  /** Whether a channel's subscribers get every publication, in order, or learn that they did not. */
  hasStream: (channel: string) => boolean
}

/** How somebody subscribes. */
export interface Subscribing {
  /** What it has got up to here before; undefined: it begins now. */
  since?: StreamPosition | undefined
  /** Reads what it has missed, within what it may read; by default all of it. */
  readMissed?: (since: StreamPosition) => Promise<StreamRead>
  /** It wants to know who comes and goes. */
  watches?: boolean
  wishes?: Wishes
  /**
   * Called when the backplane has confirmed, with the place at which it begins, in a channel that has
   * a stream. Says whether it is still wanted: the connection may have closed or changed its mind.
   * Nothing is awaited between that answer and the subscription.
   */
  enter: (begin: StreamPosition | Recovery | undefined) => boolean
}

interface Channel {
  readonly audience: Audience
  /** Those who want to know who comes and goes. */
  readonly watchers: Set<Member>
  readonly stream: Stream | undefined
  /** Settles when the backplane has confirmed the node's own subscription, or refused it. */
  readonly joined: Promise<void>
  /** Subscribers that await `joined`: the channel is wanted, though it has no members yet. */
  awaiting: number
}

/** Who is on this node: its connections, and for each channel its subscribers among them. */
export class Hub {
  readonly #options: HubOptions
  readonly #members = new Map<string, Member>()
  readonly #subjects = new Map<string, Set<Member>>()
  readonly #channels = new Map<string, Channel>()
  #subscriptions = 0
  #deliveries = 0
  #lostStreams = 0

  constructor(options: HubOptions) {
    this.#options = options
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

  /** How many connections this one's user has here, itself included. */
  countLike({ identity, subject }: Member): number {
    let count = 0
    for (const other of this.#subjects.get(subject) ?? []) {
      if (other.identity === identity) {
        count += 1
      }
    }
    return count
  }

  add(member: Member): void {
    this.#members.set(member.id, member)
    const same = this.#subjects.get(member.subject)
    if (same === undefined) {
      this.#subjects.set(member.subject, new Set([member]))
    } else {
      same.add(member)
    }
  }

  /** Forgets a connection. Its subscriptions are left by whoever keeps their list. */
  remove(member: Member): void {
    if (!this.#members.delete(member.id)) {
      return
    }
    const same = this.#subjects.get(member.subject)
    same?.delete(member)
    if (same?.size === 0) {
      this.#subjects.delete(member.subject)
    }
  }

  /** Frames that were given to members. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** Times that a stream could not be told without a gap. */
  get lostStreams(): number {
    return this.#lostStreams
  }

  /**
   * Subscribes `member`, once the backplane has confirmed that this node gets the channel.
   *
   * @returns whether it was still wanted
   * @throws HubError backplane_unavailable
   */
  async subscribe(
    name: string,
    member: Member,
    { since, readMissed, watches = false, wishes = {}, enter }: Subscribing,
  ): Promise<boolean> {
    const channel = this.#channels.get(name) ?? this.#open(name)
    const { stream } = channel
    const add = (begin: StreamPosition | Recovery | undefined): boolean => {
      if (!enter(begin)) {
        return false
      }
      const { offset } =
        begin === undefined ? { offset: 0 } : 'offset' in begin ? begin : begin.position
      if (channel.audience.add(member, offset, wishes)) {
        this.#subscriptions += 1
      }
      if (watches) {
        channel.watchers.add(member)
      }
      return true
    }
    channel.awaiting += 1
    try {
      await channel.joined
    } catch (error) {
      channel.awaiting -= 1
      throw new HubError('backplane_unavailable', { cause: error })
    }
    let added = false
    try {
      if (stream !== undefined && since !== undefined) {
        added = await stream.recover(since, add, readMissed)
      } else {
        added = add(stream?.position)
      }
    } finally {
      channel.awaiting -= 1
      if (!added) {
        this.#closeIfUnused(name, channel)
      }
    }
    return added
  }

  unsubscribe(name: string, member: Member): void {
    const channel = this.#channels.get(name)
    if (channel === undefined || !channel.audience.delete(member)) {
      return
    }
    channel.watchers.delete(member)
    this.#subscriptions -= 1
    this.#closeIfUnused(name, channel)
  }

  /** The backplane has brought a publication, with its place if the channel has a history. */
  deliver(name: string, encoded: Buffer, position?: ArrivalPosition): void {
    const channel = this.#channels.get(name)
    if (channel === undefined) {
      return
    }
    if (position !== undefined && channel.stream !== undefined) {
      channel.stream.arrive(position, encoded)
    } else {
      this.#deliveries += channel.audience.give(name, encoded, position?.offset)
    }
  }

  /** Tells those who want to know it that somebody comes or goes. */
  announce(name: string, kind: 'join' | 'leave', info: ClientInfo): void {
    const watchers = this.#channels.get(name)?.watchers
    if (watchers === undefined || watchers.size === 0) {
      return
    }
    const frame = frames((codec) => codec.presencePush(name, kind, info))
    for (const member of watchers) {
      member.deliver(frame(member.codec))
    }
    this.#deliveries += watchers.size
  }

  /**
   * Looks whether the backplane has lost anything: after it was away, and now and then, since a
   * publication that nothing follows leaves no gap behind.
   *
   * @param names - undefined: all streams
   * @returns those of which that cannot be known now
   */
  async verify(names: Iterable<string> = this.#channels.keys()): Promise<string[]> {
    const streams = [...names].flatMap((name) => {
      const stream = this.#channels.get(name)?.stream
      return stream === undefined ? [] : [{ name, stream }]
    })
    if (streams.length === 0) {
      return []
    }
    const ends = await this.#options.backplane.positions(streams.map(({ name }) => name))
    const looked = streams.map(async ({ name, stream }, at) => {
      const end = ends[at]
      if (end === 'unknown') {
        return [name]
      }
      const { offset, epoch } = stream.position
      if (end?.offset === offset && end.epoch === epoch) {
        return []
      }
      return (await stream.catchUp()) ? [] : [name]
    })
    return (await Promise.all(looked)).flat()
  }

  #open(name: string): Channel {
    const { backplane, hasStream } = this.#options
    const stream = hasStream(name)
      ? new Stream({
          read: (since) => backplane.read(name, since),
          disown: (position) => backplane.disown(name, position),
          deliver: ({ offset, after, encoded }) => {
            // They have recovered what this node had not heard of yet, and what is lost since.
            const ahead = after === undefined ? [] : channel.audience.beyond(after)
            for (const member of ahead) {
              member.lost(name)
            }
            this.#deliveries += channel.audience.give(name, encoded, offset)
          },
          lost: () => this.#lost(name, channel),
        })
      : undefined
    const joined = backplane.join(name).then(async () => {
      try {
        await stream?.open()
      } catch (error) {
        backplane.leave(name)
        throw error
      }
    })
    const channel: Channel = {
      audience: new Audience(),
      watchers: new Set(),
      stream,
      joined,
      awaiting: 0,
    }
    this.#channels.set(name, channel)
    // A refusal is for those who wait now; whoever comes next asks the backplane again.
    joined.catch(() => {
      if (this.#channels.get(name) === channel) {
        this.#channels.delete(name)
      }
    })
    return channel
  }

  #lost(name: string, { audience }: Channel): void {
    this.#lostStreams += 1
    for (const member of audience.members()) {
      member.lost(name)
    }
  }

  #closeIfUnused(name: string, channel: Channel): void {
    if (channel.audience.size > 0 || channel.awaiting > 0) {
      return
    }
    if (this.#channels.get(name) !== channel) {
      return
    }
    this.#channels.delete(name)
    channel.stream?.close()
    this.#options.backplane.leave(name)
  }
}
