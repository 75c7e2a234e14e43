import type { ClientInfo } from '@portcullis/protocol'
import { type Commands, isCluster, type Redis } from '@portcullis/redis'
import type { Permit } from '../../hub/permit.js'
import type { ArrivalPosition } from '../../hub/stream.js'
import { orAway } from '../errors.js'
import type { Keys } from '../keys.js'
import { presenceMessage, readChannelMessage } from './messages.js'
import type { Publisher } from './publisher.js'
import type { Subscriber } from './subscriber.js'

export interface ChannelSubscriptionsOptions {
  keys: Keys
  bulk: Commands
  subscriber: Subscriber
  publisher: Publisher
  onPublication: (channel: string, encoded: Buffer, position: ArrivalPosition | undefined) => void
  /** A client joined or left a channel, on any node. */
  onPresence: (channel: string, kind: 'join' | 'leave', info: ClientInfo) => void
  /** A malformed message was dropped. */
  onMalformed: () => void
}

/** Redis channels of the node itself: control, inbox and relay. */
const nodeChannels = 3

/** The channels that this node receives messages of; each has a Redis channel. */
export class ChannelSubscriptions {
  readonly #options: ChannelSubscriptionsOptions

  constructor(options: ChannelSubscriptionsOptions) {
    this.#options = options
  }

  /** Number of channels that this node has joined. */
  get size(): number {
    return Math.max(0, this.#options.subscriber.wanted - nodeChannels)
  }

  /** Resolves once this node receives the channel's messages. @throws BrokerError away */
  join(channel: string): Promise<void> {
    const { keys, subscriber } = this.#options
    return subscriber.add(keys.channel(channel), keys.partitionOf(channel), (message) =>
      this.#receive(channel, message),
    )
  }

  leave(channel: string): void {
    const { keys, subscriber } = this.#options
    subscriber.remove(keys.channel(channel))
  }

  /**
   * Tells the channel's subscribers on every node that a client joined.
   *
   * @throws BrokerError away
   */
  announceJoin(channel: string, info: ClientInfo, permit: Permit): Promise<void> {
    const { keys, publisher } = this.#options
    return publisher.publishPermitted(keys.channel(channel), presenceMessage('join', info), permit)
  }

  /**
   * Tells the channel's subscribers on every node that a client left. Needs no permit: the node
   * itself reports it, also when the client's token has ended.
   *
   * @throws BrokerError away
   */
  async announceLeave(channel: string, info: ClientInfo): Promise<void> {
    const { keys, publisher } = this.#options
    await publisher.publish(keys.channel(channel), presenceMessage('leave', info))
  }

  /** Lists channels with subscribers on any node, by a glob pattern. @throws BrokerError away */
  async names(pattern = '*'): Promise<string[]> {
    const { keys, bulk } = this.#options
    const found = await orAway(() =>
      Promise.all(
        mastersOf(bulk).map((redis) => redis.pubsub('SHARDCHANNELS', keys.channels(pattern))),
      ),
    )
    const names = found.flat().map((key) => keys.channelOf(String(key)))
    return [...new Set(names.filter((name) => name !== undefined))]
  }

  /** Checks each message: other Redis clients could have written it. */
  #receive(channel: string, message: Buffer): void {
    const { onPublication, onPresence, onMalformed } = this.#options
    const read = readChannelMessage(message)
    if (read === undefined) {
      onMalformed()
    } else if (read.type === 'publication') {
      onPublication(channel, read.encoded, read.position)
    } else {
      onPresence(channel, read.type, read.info)
    }
  }
}

/** Returns the connections to all present masters. */
function mastersOf(commands: Commands): Redis[] {
  return isCluster(commands) ? commands.nodes('master') : [commands]
}
