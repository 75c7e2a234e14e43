import type { InfoNode } from '@portcullis/contracts/server-api'
import type { ClientInfo } from '@portcullis/protocol'
import { checkWrites, type Masters } from '@portcullis/redis'
import type { Order } from '../hub/orders.js'
import type { Permit } from '../hub/permit.js'
import type { ArrivalPosition } from '../hub/stream.js'
import type { SessionCommands } from '../sessions/sessions.js'
import {
  type CommandConnections,
  closeBoth,
  commandConnections,
  connectBoth,
  watchConnections,
} from './connections.js'
import { BrokerError } from './errors.js'
import { keys } from './keys.js'
import { agreeOnPartitions } from './partitions.js'
import { Presence } from './presence/presence.js'
import { ChannelSubscriptions } from './pubsub/channel-subscriptions.js'
import { Control } from './pubsub/control.js'
import { Publisher } from './pubsub/publisher.js'
import { Relay } from './pubsub/relay.js'
import { Subscriber } from './pubsub/subscriber.js'
import { readsRegistry } from './reads-registry.js'
import { Streams } from './streams/streams.js'
import { Writes } from './writes.js'

export interface BrokerOptions {
  url: string
  prefix: string
  /** Number of partitions of channels, the same on all nodes. Default: 1, or 64 on a Cluster. */
  partitions?: number | undefined
  /** Random id of this process. */
  uid: string
  /**
   * Interval of the probes of each connection, and the time that Redis has for its reply, in
   * milliseconds.
   */
  probeMs: number
  /** Permits the node's own renewals of presence while the node holds its lease. */
  permit: Permit
  /** Lifetime of a presence entry after its last renewal, in milliseconds. */
  presenceTtlMs: number
  /** Receives a valid encoded publication; `position` when the channel has a history. */
  onPublication: (channel: string, encoded: Buffer, position: ArrivalPosition | undefined) => void
  /** A client joined or left a channel, on any node. */
  onPresence: (channel: string, kind: 'join' | 'leave', info: ClientInfo) => void
  /** Publications of some channels arrive again after an interruption. */
  onRestored: () => void
  /** Receives a valid order of the server API, from any node. */
  onOrder: (order: Order) => void
  /** Receives commands that another node got. Returns false when this node has no such session. */
  onCommands: (commands: SessionCommands) => boolean
  /** Describes this node for `info`. */
  describe: () => InfoNode
  /** Counts the clients of this node in a channel. */
  countClients: (channel: string) => number
  onError: (error: Error) => void
  /** Called with the milliseconds that a command took, for some commands. */
  onReply?: (ms: number) => void
}

/** Connects this node with the other nodes through Redis. */
export class Broker {
  /** Publications and histories. */
  readonly streams: Streams
  /** Who is subscribed to which channel. */
  readonly presence: Presence
  /** The channels whose publications this node receives. */
  readonly channels: ChannelSubscriptions
  /** Orders to all nodes, and questions about them. */
  readonly control: Control
  /** Commands for sessions of other nodes. */
  readonly relay: Relay
  readonly #connections: CommandConnections
  readonly #prefix: string
  readonly #masters: Masters
  readonly #subscriber: Subscriber
  readonly #stopProbes: () => void
  readonly #unused: readonly string[]
  #checking: Promise<string | undefined> | undefined
  #malformedMessages = 0

  private constructor(options: BrokerOptions, connections: CommandConnections, partitions: number) {
    const { url, prefix, uid, probeMs, permit, presenceTtlMs, onError } = options
    const { commands, bulk } = connections
    const names = keys(prefix, partitions)
    const writes = new Writes(commands)
    const publisher = new Publisher(commands, writes)
    const onMalformed = () => {
      this.#malformedMessages += 1
    }
    // The later one of the two kinds of connections reports.
    const onRestored = () => {
      if (commands.status === 'ready') {
        options.onRestored()
      }
    }
    const { masters, stopProbes } = watchConnections(connections, { url, probeMs, onError })
    const subscriber = new Subscriber({ masters, slots: names.slots, probeMs, onRestored })
    commands.on('ready', onRestored)
    this.#connections = connections
    this.#prefix = prefix
    this.#unused = names.unused
    this.#masters = masters
    this.#stopProbes = stopProbes
    this.#subscriber = subscriber
    this.streams = new Streams({ commands, bulk, keys: names, writes })
    this.presence = new Presence({
      redis: commands,
      keys: names,
      writes,
      permit,
      ttlMs: presenceTtlMs,
      onError,
    })
    this.channels = new ChannelSubscriptions({
      keys: names,
      bulk,
      subscriber,
      publisher,
      onPublication: options.onPublication,
      onPresence: options.onPresence,
      onMalformed,
    })
    this.control = new Control({
      uid,
      keys: names,
      subscriber,
      publisher,
      onOrder: options.onOrder,
      describe: options.describe,
      countClients: options.countClients,
      onMalformed,
      onError,
    })
    const { onCommands } = options
    this.relay = new Relay({
      uid,
      keys: names,
      subscriber,
      publisher,
      onCommands,
      onMalformed,
      onError,
    })
  }

  /**
   * Connects to Redis and subscribes to the messages of the other nodes.
   *
   * @throws BrokerError unreachable, partitions_mismatch; RedisUrlError
   */
  static async open(options: BrokerOptions): Promise<Broker> {
    let lastError: Error | undefined
    const onError = (error: Error) => {
      lastError = error
      options.onError(error)
    }
    const connections = commandConnections({ ...options, onError })
    try {
      return await Broker.#openOn(connections, { ...options, onError })
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'partitions_mismatch') {
        throw error
      }
      const reason = lastError ?? (error instanceof BrokerError ? error.cause : error)
      throw new BrokerError(
        'unreachable',
        `Redis cannot be reached (${reason instanceof Error ? reason.message : 'no reason given'}); check REDIS_URL`,
        { cause: error },
      )
    }
  }

  static async #openOn(connections: CommandConnections, options: BrokerOptions): Promise<Broker> {
    const { prefix, partitions } = options
    let broker: Broker | undefined
    try {
      await connectBoth(connections)
      const agreed = await agreeOnPartitions(connections.commands, prefix, partitions)
      broker = new Broker(options, connections, agreed)
      await broker.#subscriber.open()
      await broker.control.listen()
      await broker.relay.listen()
      return broker
    } catch (error) {
      await (broker?.close() ?? closeBoth(connections))
      throw error
    }
  }

  /** Returns true when the node's Redis user can read auth's registry. False proves nothing. */
  readsRegistry(): Promise<boolean> {
    return readsRegistry(this.#connections.commands, this.#prefix)
  }

  /** Messages from Redis that were malformed. */
  get malformedMessages(): number {
    return this.#malformedMessages
  }

  /** Returns why messages between nodes may be delayed now; undefined when Redis is connected. */
  problem(): string | undefined {
    const { commands, bulk } = this.#connections
    const isReady = commands.status === 'ready' && bulk.status === 'ready'
    return isReady ? this.#subscriber.problem() : 'Redis is away'
  }

  /**
   * Returns why nothing can be published or kept now; undefined when every master accepts writes.
   * Concurrent calls share one check, so that frequent health checks cost Redis little.
   */
  refusal(): Promise<string | undefined> {
    this.#checking ??= checkWrites(this.#connections.commands, this.#unused)
      .then(
        () => undefined,
        () => 'Redis does not answer, or takes no writes',
      )
      .finally(() => {
        this.#checking = undefined
      })
    return this.#checking
  }

  async close(): Promise<void> {
    this.#stopProbes()
    this.control.stop()
    this.relay.stop()
    await this.presence.close()
    this.#masters.close()
    await Promise.all([closeBoth(this.#connections), this.#subscriber.close()])
  }
}
