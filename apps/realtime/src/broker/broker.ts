import type { InfoNode } from '@portcullis/contracts/server-api'
import type { ClientInfo, StreamPosition } from '@portcullis/protocol'
import {
  type Commands,
  close,
  connectCommands,
  followMasters,
  isCluster,
  type Masters,
  probe,
  type Redis,
} from '@portcullis/redis'
import type { Order } from '../hub/orders.js'
import type { Permit } from '../hub/permit.js'
import { BrokerError } from './errors.js'
import { type Keys, keys } from './keys.js'
import { agreeOnPartitions } from './partitions.js'
import { Presence } from './presence/presence.js'
import { InfoGathering } from './pubsub/info-gathering.js'
import {
  type ArrivalPosition,
  presenceMessage,
  readAnswer,
  readChannelMessage,
  readControl,
} from './pubsub/messages.js'
import { Subscriber } from './pubsub/subscriber.js'
import { readsRegistry } from './reads-registry.js'
import { Acknowledged } from './streams/acknowledged.js'
import {
  disownLost,
  type History,
  type HistoryQuery,
  leastJump,
  type PublishOptions,
  publish,
  readHistory,
  readPosition,
  removeHistory,
  send,
} from './streams/streams.js'
import { Writes } from './writes.js'

export interface BrokerOptions {
  url: string
  prefix: string
  /** Into how many parts channels are spread, the same on all nodes; 1, or 64 on a Cluster, when not given. */
  partitions?: number | undefined
  /** The process's own random id. */
  uid: string
  /** How often each connection to Redis is asked for a sign of life, and how long it has for it. */
  probeMs: number
  /** Permits what this node writes for its clients again and again, while it holds its lease. */
  permit: Permit
  /** How long a client counts as present after its node has last said so. */
  presenceTtlMs: number
  /** An encoded publication that came in, checked; with its place when the channel has a history. */
  onPublication: (channel: string, encoded: Buffer, position: ArrivalPosition | undefined) => void
  /** A client has come into a channel, or has left it, on whatever node. */
  onPresence: (channel: string, kind: 'join' | 'leave', info: ClientInfo) => void
  /** Publications come in again, those of some channels at least, after they had not for a while. */
  onRestored: () => void
  /** An order of the server API came in, checked; from whatever node. */
  onOrder: (order: Order) => void
  /** This node, as `info` shows it. */
  describe: () => InfoNode
  onError: (error: Error) => void
}

/** Replicas that are behind by more than this are not expected to take over; see `disownLost`. */
const mostReplicaLagMs = 30_000

/** Connects this node with the others through Redis. */
export class Broker {
  readonly #options: BrokerOptions
  readonly #keys: Keys
  readonly #commands: Commands
  readonly #writes: Writes
  /** For answers that are long: publications do not wait behind them. */
  readonly #bulk: Commands
  readonly #masters: Masters
  readonly #subscriber: Subscriber
  /** Who is in which channel. */
  readonly presence: Presence
  readonly #gathering: InfoGathering
  readonly #acknowledged = new Acknowledged({ forMs: mostReplicaLagMs, leastJump })
  readonly #stopProbes: readonly (() => void)[]
  #garbage = 0

  private constructor(
    options: BrokerOptions,
    { commands, bulk }: { commands: Commands; bulk: Commands },
    partitions: number,
  ) {
    const { url, uid, probeMs, onError } = options
    this.#options = options
    this.#keys = keys(options.prefix, partitions)
    this.#commands = commands
    this.#writes = new Writes(commands)
    this.#bulk = bulk
    this.#masters = followMasters(commands, { url, onError })
    this.#subscriber = new Subscriber({
      masters: this.#masters,
      slots: this.#keys.slots,
      probeMs,
      onRestored: () => this.#restored(),
    })
    commands.on('ready', () => this.#restored())
    this.presence = new Presence({
      redis: commands,
      keys: this.#keys,
      writes: this.#writes,
      permit: options.permit,
      ttlMs: options.presenceTtlMs,
      onError,
    })
    // All nodes hear the control channel from the same master, so its count of receivers is exact.
    this.#gathering = new InfoGathering(uid, async (question) =>
      Number(await commands.spublish(this.#keys.control, question)),
    )
    this.#stopProbes = [probe(commands, probeMs), probe(bulk, probeMs)]
  }

  /** Connects, and listens to the other nodes. @throws BrokerError unreachable, partitions_mismatch */
  static async open(options: BrokerOptions): Promise<Broker> {
    const { url, prefix, partitions } = options
    let cause: Error | undefined
    const onError = (error: Error) => {
      cause = error
      options.onError(error)
    }
    const commands = connectCommands({ url, name: 'realtime', onError })
    const bulk = connectCommands({ url, name: 'realtime-bulk', onError })
    let broker: Broker | undefined
    try {
      await Promise.all([commands.connect(), bulk.connect()])
      const agreed = await agreeOnPartitions(commands, prefix, partitions)
      broker = new Broker({ ...options, onError }, { commands, bulk }, agreed)
      await broker.#listen()
      return broker
    } catch (error) {
      await (broker?.close() ?? Promise.all([close(commands), close(bulk)]))
      if (error instanceof BrokerError && error.code === 'partitions_mismatch') {
        throw error
      }
      const reason = cause ?? (error instanceof BrokerError ? error.cause : error)
      throw new BrokerError(
        'unreachable',
        `Redis cannot be reached (${reason instanceof Error ? reason.message : 'no reason given'}); check REDIS_URL`,
        { cause: error },
      )
    }
  }

  /** Returns true when the node's Redis user can read auth's registry, as far as the node can tell. */
  readsRegistry(): Promise<boolean> {
    return readsRegistry(this.#commands, this.#options.prefix)
  }

  /** Messages from Redis that were none of ours. */
  get garbage(): number {
    return this.#garbage
  }

  /** Redis channels that this node is subscribed to for its clients. */
  get channels(): number {
    return Math.max(0, this.#subscriber.wanted - 2)
  }

  /** Why not everything can be passed between nodes now; undefined when it can. */
  ready(): string | undefined {
    const isReady = this.#commands.status === 'ready' && this.#bulk.status === 'ready'
    return isReady ? this.#subscriber.problem() : 'Redis is away'
  }

  /** Resolves once this node gets the channel's publications. @throws BrokerError away */
  join(channel: string): Promise<void> {
    return this.#subscriber.add(
      this.#keys.channel(channel),
      this.#keys.partitionOf(channel),
      (message) => this.#ofChannel(channel, message),
    )
  }

  leave(channel: string): void {
    this.#subscriber.remove(this.#keys.channel(channel))
  }

  /**
   * Sends an encoded publication to every node, this one too; resolves to its place when it is kept.
   * @throws BrokerError away
   */
  async publish(
    channel: string,
    encoded: Buffer,
    permit: Permit,
    options: PublishOptions = {},
  ): Promise<StreamPosition | undefined> {
    const position = await this.#write(this.#keys.place(channel), permit, (deadline) =>
      publish(this.#commands, this.#keys, channel, encoded, options, deadline),
    )
    if (position !== undefined) {
      this.#acknowledged.set(channel, position)
    }
    return position
  }

  /** What a channel keeps, and where its stream ends. @throws BrokerError away */
  history(channel: string, query: HistoryQuery): Promise<History> {
    // A position alone is short.
    if (query.limit === 0) {
      return this.#ask(() => readHistory(this.#commands, this.#keys, channel, query))
    }
    return this.#ask(() =>
      this.#readBulk(() => readHistory(this.#bulk, this.#keys, channel, query)),
    )
  }

  /**
   * Reads once more when that fails on a Cluster: after a failover this connection, which is seldom
   * used, may know the map of before. A read is safe to repeat.
   */
  async #readBulk<Result>(read: () => Promise<Result>): Promise<Result> {
    const bulk = this.#bulk
    if (!isCluster(bulk)) {
      return read()
    }
    try {
      return await read()
    } catch {
      await new Promise<void>((resolve) => bulk.refreshSlotsCache(() => resolve()))
      return read()
    }
  }

  /**
   * Where streams end; undefined for a channel that has none, and 'unknown' for one of which Redis
   * cannot be asked now.
   */
  positions(channels: readonly string[]): Promise<(StreamPosition | undefined | 'unknown')[]> {
    return Promise.all(
      channels.map((channel) =>
        readPosition(this.#commands, this.#keys, channel).catch(() => 'unknown' as const),
      ),
    )
  }

  /**
   * Begins a stream anew if Redis has lost what was published in it at a position; whoever follows it
   * learns then that it cannot be told without a gap. Gives whether it has. @throws BrokerError away
   */
  disown(channel: string, position: StreamPosition): Promise<boolean> {
    return this.#ask(() => disownLost(this.#commands, this.#keys, channel, position))
  }

  /** Does so for all that Redis has acknowledged to this node lately. @throws BrokerError away */
  async disownLost(): Promise<void> {
    const acknowledged = this.#acknowledged.all
    await Promise.all(acknowledged.map(([channel, position]) => this.disown(channel, position)))
    this.#acknowledged.confirm(acknowledged)
  }

  /** Forgets what a channel keeps; its offsets go on. @throws BrokerError away */
  async removeHistory(channel: string, permit: Permit): Promise<void> {
    await this.#write(this.#keys.stream(channel), permit, (deadline) =>
      removeHistory(this.#commands, this.#keys, channel, deadline),
    )
  }

  /** Tells every node that a client has come. @throws BrokerError away */
  announceJoin(channel: string, info: ClientInfo, permit: Permit): Promise<void> {
    return this.#permitted(this.#keys.channel(channel), presenceMessage('join', info), permit)
  }

  /** Tells every node that a client has gone: this node's own act. @throws BrokerError away */
  announceLeave(channel: string, info: ClientInfo): Promise<void> {
    return this.#send(this.#keys.channel(channel), presenceMessage('leave', info))
  }

  /** Channels that somebody is subscribed to, on whatever node, by a glob pattern. @throws BrokerError away */
  async channelNames(pattern = '*'): Promise<string[]> {
    const found = await this.#ask(() =>
      Promise.all(
        mastersOf(this.#bulk).map((redis) =>
          redis.pubsub('SHARDCHANNELS', this.#keys.channels(pattern)),
        ),
      ),
    )
    const names = found.flat().map((key) => this.#keys.channelOf(String(key)))
    return [...new Set(names.filter((name) => name !== undefined))]
  }

  /** Tells every node, this one too, what to do with its connections. @throws BrokerError away */
  order(order: Order, permit: Permit): Promise<void> {
    return this.#permitted(this.#keys.control, JSON.stringify(order), permit)
  }

  /** What every node says of itself; those that do not answer in time are left out. @throws BrokerError away */
  async info(): Promise<InfoNode[]> {
    try {
      return await this.#gathering.gather()
    } catch (error) {
      throw new BrokerError('away', 'Redis is away', { cause: error })
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stopProbes) {
      stop()
    }
    this.#gathering.stop()
    await this.presence.close()
    this.#masters.close()
    await Promise.all([close(this.#commands), close(this.#bulk), this.#subscriber.close()])
  }

  async #listen(): Promise<void> {
    const { control, inbox } = this.#keys
    await this.#subscriber.open()
    await this.#subscriber.add(control, 0, (message) => this.#control(message))
    await this.#subscriber.add(inbox(this.#options.uid), 0, (message) => this.#answer(message))
  }

  async #send(key: string, message: string): Promise<void> {
    await this.#ask(() => this.#commands.spublish(key, message))
  }

  #permitted(to: string, message: string, permit: Permit): Promise<void> {
    return this.#write(to, permit, (deadline) => send(this.#commands, to, message, deadline))
  }

  #write<Result>(
    key: string,
    permit: Permit,
    send: (deadline: number) => Promise<Result>,
  ): Promise<Result> {
    return this.#ask(() => this.#writes.run(key, permit, send))
  }

  async #ask<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work()
    } catch (error) {
      throw new BrokerError('away', 'Redis did not answer', { cause: error })
    }
  }

  /** Either connection may be the later one to come back. */
  #restored(): void {
    if (this.#commands.status === 'ready') {
      this.#options.onRestored()
    }
  }

  /** Whoever can write to Redis can write here: nothing is believed before it is checked. */
  #ofChannel(channel: string, message: Buffer): void {
    const read = readChannelMessage(message)
    if (read === undefined) {
      this.#garbage += 1
    } else if (read.type === 'publication') {
      this.#options.onPublication(channel, read.encoded, read.position)
    } else {
      this.#options.onPresence(channel, read.type, read.info)
    }
  }

  #answer(message: Buffer): void {
    const answer = readAnswer(message)
    if (answer === undefined) {
      this.#garbage += 1
    } else {
      this.#gathering.take(answer)
    }
  }

  #control(message: Buffer): void {
    const control = readControl(message)
    if (control === undefined) {
      this.#garbage += 1
    } else if (control.type !== 'info') {
      this.#options.onOrder(control)
    } else {
      const answer = { type: 'node', id: control.id, node: this.#options.describe() }
      this.#send(this.#keys.inbox(control.from), JSON.stringify(answer)).catch(
        this.#options.onError,
      )
    }
  }
}

/** The connections for commands that there are now, one to each master. */
function mastersOf(commands: Commands): Redis[] {
  return isCluster(commands) ? commands.nodes('master') : [commands]
}
