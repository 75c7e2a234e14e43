import type { InfoNode } from '@portcullis/contracts/server-api'
import type { Order } from '../../hub/orders.js'
import type { Permit } from '../../hub/permit.js'
import type { Keys } from '../keys.js'
import { Collector } from './collector.js'
import { type ControlMessage, maxCounted, readAnswer, readControl } from './messages.js'
import type { Publisher } from './publisher.js'
import type { Subscriber } from './subscriber.js'

export interface ControlOptions {
  /** Random id of this process. */
  uid: string
  keys: Keys
  subscriber: Subscriber
  publisher: Publisher
  /** Receives a valid order, from any node. */
  onOrder: (order: Order) => void
  /** Describes this node for `info`. */
  describe: () => InfoNode
  /** Counts the clients of this node in a channel. */
  countClients: (channel: string) => number
  /** A malformed message was dropped. */
  onMalformed: () => void
  onError: (error: Error) => void
}

/**
 * What nodes tell each other about all connections: orders and questions on one control channel,
 * answers in an inbox for each node. All of these are in the first partition, so one master
 * delivers the control channel to every node and its count of receivers is exact.
 */
export class Control {
  readonly #options: ControlOptions
  readonly #infos: Collector<InfoNode>
  readonly #counts: Collector<readonly number[]>

  constructor(options: ControlOptions) {
    const { keys, publisher } = options
    this.#options = options
    const ask = (question: string) => publisher.publish(keys.control, question)
    this.#infos = new Collector(ask)
    this.#counts = new Collector(ask)
  }

  /** Subscribes to the control channel and this node's inbox. @throws BrokerError away */
  async listen(): Promise<void> {
    const { uid, keys, subscriber } = this.#options
    await subscriber.add(keys.control, 0, (message) => this.#receiveControl(message))
    await subscriber.add(keys.inbox(uid), 0, (message) => this.#receiveAnswer(message))
  }

  /** Sends an order to every node, including this one. @throws BrokerError away */
  order(order: Order, permit: Permit): Promise<void> {
    const { keys, publisher } = this.#options
    return publisher.publishPermitted(keys.control, JSON.stringify(order), permit)
  }

  /** Returns the descriptions of all nodes that answer within a second. @throws BrokerError away */
  async info(): Promise<InfoNode[]> {
    const nodes = await this.#infos.collect({ type: 'info', from: this.#options.uid })
    return nodes.sort((a, b) => a.name.localeCompare(b.name))
  }

  /**
   * Counts the clients in each channel, on all nodes that answer within a second.
   *
   * @throws BrokerError away
   */
  async counts(channels: readonly string[]): Promise<number[]> {
    const parts: Promise<number[]>[] = []
    for (let at = 0; at < channels.length; at += maxCounted) {
      parts.push(this.#countPart(channels.slice(at, at + maxCounted)))
    }
    return (await Promise.all(parts)).flat()
  }

  stop(): void {
    this.#infos.stop()
    this.#counts.stop()
  }

  async #countPart(channels: readonly string[]): Promise<number[]> {
    const question = { type: 'count', from: this.#options.uid, channels }
    const answers = await this.#counts.collect(question)
    return channels.map((_channel, place) =>
      answers.reduce((sum, counts) => sum + (counts[place] ?? 0), 0),
    )
  }

  #receiveControl(message: Buffer): void {
    const { onOrder, onMalformed } = this.#options
    const control = readControl(message)
    if (control === undefined) {
      onMalformed()
    } else if (control.type === 'info' || control.type === 'count') {
      this.#answer(control)
    } else {
      onOrder(control)
    }
  }

  #answer(question: Extract<ControlMessage, { type: 'info' | 'count' }>): void {
    const { uid, keys, publisher, describe, countClients, onError } = this.#options
    const { id } = question
    const answer =
      question.type === 'info'
        ? { type: 'node', id, node: describe() }
        : { type: 'counts', id, from: uid, counts: question.channels.map(countClients) }
    publisher.publish(keys.inbox(question.from), JSON.stringify(answer)).catch(onError)
  }

  #receiveAnswer(message: Buffer): void {
    const answer = readAnswer(message)
    if (answer === undefined) {
      this.#options.onMalformed()
    } else if (answer.type === 'node') {
      this.#infos.take(answer.id, answer.node.uid, answer.node)
    } else {
      this.#counts.take(answer.id, answer.from, answer.counts)
    }
  }
}
