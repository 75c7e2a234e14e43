import type { InfoNode } from '@portcullis/contracts'
import { decodePublication } from '@portcullis/protocol'
import { close, connect, type Redis } from '@portcullis/redis'
import { BrokerError } from './errors.js'
import { InfoGathering } from './info-gathering.js'
import { type Keys, keys } from './keys.js'
import { type DisconnectOrder, readAnswer, readControl } from './messages.js'
import { probe } from './probe.js'
import { Subscriber } from './subscriber.js'

export interface BrokerOptions {
  url: string
  prefix: string
  /** The process's own random id. */
  uid: string
  /** How often each connection to Redis is asked for a sign of life, and how long it has for it. */
  probeMs: number
  /** An encoded publication that came in, checked. */
  onPublication: (channel: string, bytes: Buffer) => void
  onDisconnect: (order: DisconnectOrder) => void
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
  readonly #gathering: InfoGathering
  readonly #stopProbes: readonly (() => void)[]
  #garbage = 0

  private constructor(options: BrokerOptions) {
    const { url, uid, probeMs, onError } = options
    this.#options = options
    this.#keys = keys(options.prefix)
    this.#commands = connect({ url, name: 'realtime', onError })
    this.#subscriptions = connect({ url, name: 'realtime-sub', role: 'subscriber', onError })
    this.#subscriber = new Subscriber(this.#subscriptions, (key, message) =>
      this.#receive(key, message),
    )
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

  /** Sends a publication to every node, this one too. @throws BrokerError away */
  async publish(channel: string, publication: Buffer): Promise<void> {
    await this.#send(this.#keys.channel(channel), publication)
  }

  /** Has every node close the connections that the order names. @throws BrokerError away */
  async disconnect(order: Omit<DisconnectOrder, 'type'>): Promise<void> {
    const message: DisconnectOrder = { type: 'disconnect', ...order }
    await this.#send(this.#keys.control, JSON.stringify(message))
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
    await Promise.all([close(this.#commands), close(this.#subscriptions)])
  }

  async #send(key: string, message: string | Buffer): Promise<void> {
    try {
      await this.#commands.publish(key, message)
    } catch (error) {
      throw new BrokerError('away', 'Redis did not take a message', { cause: error })
    }
  }

  /** Whoever can write to Redis can write here: nothing is believed before it is checked. */
  #receive(key: string, message: Buffer): void {
    const channel = this.#keys.channelOf(key)
    if (channel !== undefined) {
      if (decodePublication(message) !== undefined) this.#options.onPublication(channel, message)
      else this.#garbage += 1
    } else if (key === this.#keys.control) {
      this.#control(message)
    } else {
      const answer = readAnswer(message)
      if (answer === undefined) this.#garbage += 1
      else this.#gathering.take(answer)
    }
  }

  #control(message: Buffer): void {
    const control = readControl(message)
    if (control === undefined) {
      this.#garbage += 1
    } else if (control.type === 'disconnect') {
      this.#options.onDisconnect(control)
    } else {
      const answer = { type: 'node', id: control.id, node: this.#options.describe() }
      this.#send(this.#keys.inbox(control.from), JSON.stringify(answer)).catch(
        this.#options.onError,
      )
    }
  }
}
