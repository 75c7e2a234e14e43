import type { InfoNode } from '@portcullis/contracts'
import type { ClientInfo, StreamPosition } from '@portcullis/protocol'
import { close, connect, type Redis } from '@portcullis/redis'
import type { Order } from '../hub/orders.js'
import { BrokerError } from './errors.js'
import { InfoGathering } from './info-gathering.js'
import { type Keys, keys } from './keys.js'
import { presenceMessage, readAnswer, readChannelMessage, readControl } from './messages.js'
import { Presence } from './presence.js'
import { probe } from './probe.js'
import {
  type History,
  type HistoryQuery,
  type PublishOptions,
  publish,
  readHistory,
  readPositions,
} from './streams.js'
import { Subscriber } from './subscriber.js'

export interface BrokerOptions {
  url: string
  prefix: string
  /** The process's own random id. */
  uid: string
  /** How often each connection to Redis is asked for a sign of life, and how long it has for it. */
  probeMs: number
  /** How long a client counts as present after its node has last said so. */
  presenceTtlMs: number
  /** An encoded publication that came in, checked; with its place when the channel has a history. */
  onPublication: (channel: string, encoded: Buffer, position: StreamPosition | undefined) => void
  /** A client has come into a channel, or has left it, on whatever node. */
  onPresence: (channel: string, kind: 'join' | 'leave', info: ClientInfo) => void
  /** Publications come in again, after they had not for a while. */
  onRestored: () => void
  /** An order of the server API came in, checked; from whatever node. */
  onOrder: (order: Order) => void
  /** This node, as `info` shows it. */
  describe: () => InfoNode
  onError: (error: Error) => void
}

/** Connects this node with the others through Redis. */
export class Broker {
  readonly #options: BrokerOptions
  readonly #keys: Keys
  readonly #commands: Redis
  readonly #subscriptions: Redis
  readonly #subscriber: Subscriber
  /** Who is in which channel. */
  readonly presence: Presence
  readonly #gathering: InfoGathering
  readonly #stopProbes: readonly (() => void)[]
  #garbage = 0

  private constructor(options: BrokerOptions) {
    const { url, uid, probeMs, onError } = options
    this.#options = options
    this.#keys = keys(options.prefix)
    this.#commands = connect({ url, name: 'realtime', onError })
    this.#subscriptions = connect({ url, name: 'realtime-sub', role: 'subscriber', onError })
    this.#subscriber = new Subscriber(this.#subscriptions, {
      onMessage: (key, message) => this.#receive(key, message),
      onRestored: () => this.#restored(),
    })
    this.#commands.on('ready', () => this.#restored())
    this.presence = new Presence({
      redis: this.#commands,
      keys: this.#keys,
      ttlMs: options.presenceTtlMs,
      onError,
    })
    this.#gathering = new InfoGathering(uid, (question) =>
      this.#commands.publish(this.#keys.control, question),
    )
    this.#stopProbes = [probe(this.#commands, probeMs), probe(this.#subscriptions, probeMs)]
  }

  /** Connects, and listens to the other nodes. @throws BrokerError unreachable */
  static async open(options: BrokerOptions): Promise<Broker> {
    let cause: Error | undefined
    const broker = new Broker({
      ...options,
      onError: (error) => {
        cause = error
        options.onError(error)
      },
    })
    try {
      await Promise.all([broker.#commands.connect(), broker.#subscriptions.connect()])
      await broker.#subscriber.add(broker.#keys.control)
      await broker.#subscriber.add(broker.#keys.inbox(options.uid))
    } catch (error) {
      await broker.close()
      const reason = cause ?? error
      throw new BrokerError(
        'unreachable',
        `Redis cannot be reached (${reason instanceof Error ? reason.message : 'no reason given'}); check REDIS_URL`,
        { cause: error },
      )
    }
    return broker
  }

  /** Messages from Redis that were none of ours. */
  get garbage(): number {
    return this.#garbage
  }

  /** Redis channels that this node is subscribed to for its clients. */
  get channels(): number {
    return Math.max(0, this.#subscriber.wanted - 2)
  }

  /** Why nothing can be passed between nodes now; undefined when it can. */
  ready(): string | undefined {
    if (this.#commands.status !== 'ready' || this.#subscriptions.status !== 'ready') {
      return 'Redis is away'
    }
    return this.#subscriber.whole ? undefined : 'subscribing again'
  }

  /** Resolves once this node gets the channel's publications. @throws BrokerError away */
  join(channel: string): Promise<void> {
    return this.#subscriber.add(this.#keys.channel(channel))
  }

  leave(channel: string): void {
    this.#subscriber.remove(this.#keys.channel(channel))
  }

  /**
   * Sends an encoded publication to every node, this one too; gives its place when it is kept.
   * @throws BrokerError away
   */
  publish(
    channel: string,
    encoded: Buffer,
    options: PublishOptions = {},
  ): Promise<StreamPosition | undefined> {
    return this.#ask(() => publish(this.#commands, this.#keys, channel, encoded, options))
  }

  /** What a channel keeps, and where its stream ends. @throws BrokerError away */
  history(channel: string, query: HistoryQuery): Promise<History> {
    return this.#ask(() => readHistory(this.#commands, this.#keys, channel, query))
  }

  /** Where streams end; undefined for a channel that has none. @throws BrokerError away */
  positions(channels: readonly string[]): Promise<(StreamPosition | undefined)[]> {
    return this.#ask(() => readPositions(this.#commands, this.#keys, channels))
  }

  /** Forgets what a channel keeps; its offsets go on. @throws BrokerError away */
  async removeHistory(channel: string): Promise<void> {
    await this.#ask(() => this.#commands.del(this.#keys.stream(channel)))
  }

  /** Tells every node that a client has come or gone. @throws BrokerError away */
  announce(channel: string, kind: 'join' | 'leave', info: ClientInfo): Promise<void> {
    return this.#send(this.#keys.channel(channel), presenceMessage(kind, info))
  }

  /** Channels that somebody is subscribed to, on whatever node, by a glob pattern. @throws BrokerError away */
  async channelNames(pattern = '*'): Promise<string[]> {
    const found = await this.#ask(() =>
      this.#commands.pubsub('CHANNELS', this.#keys.channel(pattern)),
    )
    const names = Array.isArray(found) ? found.map((key) => this.#keys.channelOf(String(key))) : []
    return names.filter((name) => name !== undefined)
  }

  /** Tells every node, this one too, what to do with its connections. @throws BrokerError away */
  async order(order: Order): Promise<void> {
    await this.#send(this.#keys.control, JSON.stringify(order))
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
    for (const stop of this.#stopProbes) stop()
    this.#gathering.stop()
    await this.presence.close()
    await Promise.all([close(this.#commands), close(this.#subscriptions)])
  }

  async #send(key: string, message: string): Promise<void> {
    await this.#ask(() => this.#commands.publish(key, message))
  }

  async #ask<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work()
    } catch (error) {
      throw new BrokerError('away', 'Redis did not answer', { cause: error })
    }
  }

  /** Whoever can write to Redis can write here: nothing is believed before it is checked. */
  #receive(key: string, message: Buffer): void {
    const channel = this.#keys.channelOf(key)
    if (channel !== undefined) {
      this.#ofChannel(channel, message)
    } else if (key === this.#keys.control) {
      this.#control(message)
    } else {
      const answer = readAnswer(message)
      if (answer === undefined) this.#garbage += 1
      else this.#gathering.take(answer)
    }
  }

  /** Either connection may be the later one to come back. */
  #restored(): void {
    if (this.ready() === undefined) this.#options.onRestored()
  }

  #ofChannel(channel: string, message: Buffer): void {
    const read = readChannelMessage(message)
    if (read === undefined) this.#garbage += 1
    else if (read.type === 'publication') {
      this.#options.onPublication(channel, read.encoded, read.position)
    } else this.#options.onPresence(channel, read.type, read.info)
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
