import type { ClientInfo, StreamPosition } from '@portcullis/protocol'
import { Audience, type SubscriptionOptions } from './audience.js'
import type { Backplane } from './backplane.js'
import { HubError } from './errors.js'
import type { Member } from './member.js'
import { MemberIndex } from './member-index.js'
import { frames } from './outgoing.js'
import { type ArrivalPosition, type Recovery, Stream, type StreamRead } from './stream.js'

export interface HubOptions {
  backplane: Backplane
  /**
   * Returns true when the channel's subscribers get every publication in order, or learn of a gap.
   */
  hasStream: (channel: string) => boolean
}

/** How a member subscribes. */
export interface SubscribeInput {
  /** The last position that the client has; undefined: it starts now. */
  since?: StreamPosition | undefined
  /** Reads missed publications within the client's limits. Default: reads all. */
  readMissed?: (since: StreamPosition) => Promise<StreamRead>
  /** Also receive joins and leaves. */
  watches?: boolean
  subscriptionOptions?: SubscriptionOptions
  /**
   * Called once the backplane has confirmed, with the start position if the channel has a stream.
   * Returns true if the subscription is still wanted: the connection may have closed meanwhile. The
   * subscription follows in the same synchronous step.
   */
  enter: (begin: StreamPosition | Recovery | undefined) => boolean
}

interface Channel {
  readonly audience: Audience
  /** Members that receive joins and leaves. */
  readonly watchers: Set<Member>
  readonly stream: Stream | undefined
  /** Settles when the backplane has confirmed or refused the node's own subscription. */
  readonly joined: Promise<void>
  /** Subscribers that wait for `joined`; they keep a channel without members open. */
  awaiting: number
}

/** The connections of this node, and the subscribers of each channel among them. */
export class Hub {
  readonly #options: HubOptions
  readonly #members = new MemberIndex()
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
      users: this.#members.subjects,
      subscriptions: this.#subscriptions,
      channels: this.#channels.size,
    }
  }

  /** Counts the connections of this node that are subscribed to a channel. */
  countIn(channel: string): number {
    return this.#channels.get(channel)?.audience.size ?? 0
  }

  members(): IterableIterator<Member> {
    return this.#members.all()
  }

  /** Returns the connections of one subject, under any identity. */
  of(subject: string): readonly Member[] {
    return this.#members.of(subject)
  }

  /** Counts the connections of this member's user on this node, including this member. */
  countLike(member: Pick<Member, 'identity' | 'subject'>): number {
    return this.#members.countLike(member)
  }

  add(member: Member): void {
    this.#members.add(member)
  }

  /** Removes a connection. The caller unsubscribes it from its channels. */
  remove(member: Member): void {
    this.#members.delete(member)
  }

  /** Frames passed to members since the start. */
  get deliveries(): number {
    return this.#deliveries
  }

  /** Streams that lost publications for good since the start. */
  get lostStreams(): number {
    return this.#lostStreams
  }

  /**
   * Subscribes `member` once the backplane has confirmed that this node receives the channel.
   * Returns false if `enter` declined.
   *
   * @throws HubError backplane_unavailable
   */
  async subscribe(
    name: string,
    member: Member,
    { since, readMissed, watches = false, subscriptionOptions = {}, enter }: SubscribeInput,
  ): Promise<boolean> {
    const channel = this.#channels.get(name) ?? this.#open(name)
    const { stream } = channel
    const add = (begin: StreamPosition | Recovery | undefined): boolean => {
      if (!enter(begin)) {
        return false
      }
      const { offset } =
        begin === undefined ? { offset: 0 } : 'offset' in begin ? begin : begin.position
      if (channel.audience.add(member, offset, subscriptionOptions)) {
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

  /** Delivers a publication from the backplane; `position` if the channel has a history. */
  deliver(name: string, encoded: Buffer, position?: ArrivalPosition): void {
    const channel = this.#channels.get(name)
    if (channel === undefined) {
      return
    }
    if (position !== undefined && channel.stream !== undefined) {
      channel.stream.arrive(position, encoded)
    } else {
      this.#deliveries += channel.audience.deliver(name, encoded, position?.offset)
    }
  }

  /** Sends a join or a leave to the members that watch the channel. */
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
   * Compares streams with their histories and reads what is missing. Called after an interruption,
   * and periodically, because a lost last publication leaves no visible gap. Returns the names of
   * streams that could not be compared now.
   *
   * @param names - default: all streams
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
    const compared = streams.map(async ({ name, stream }, at) => {
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
    return (await Promise.all(compared)).flat()
  }

  #open(name: string): Channel {
    const { backplane, hasStream } = this.#options
    const stream = hasStream(name)
      ? new Stream({
          read: (since) => backplane.read(name, since),
          disown: (position) => backplane.disown(name, position),
          deliver: ({ offset, after, encoded }) => {
            // These members recovered publications that Redis has lost since.
            const ahead = after === undefined ? [] : channel.audience.startedAfter(after)
            for (const member of ahead) {
              member.lost(name)
            }
            this.#deliveries += channel.audience.deliver(name, encoded, offset)
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
    // A refusal concerns present waiters only; the next subscriber asks the backplane again.
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
