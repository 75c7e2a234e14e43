import type { InfoNode } from '@portcullis/contracts/server-api'
import type { Order } from '../../hub/orders.js'
import type { Permit } from '../../hub/permit.js'
import type { Keys } from '../keys.js'
import { InfoCollector } from './info-collector.js'
import { readAnswer, readControl } from './messages.js'
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
  readonly #collector: InfoCollector

  constructor(options: ControlOptions) {
    const { uid, keys, publisher } = options
    this.#options = options
    this.#collector = new InfoCollector(uid, (question) =>
      publisher.publish(keys.control, question),
    )
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
  info(): Promise<InfoNode[]> {
    return this.#collector.collect()
  }

  stop(): void {
    this.#collector.stop()
  }

  #receiveControl(message: Buffer): void {
    const { keys, publisher, onOrder, describe, onMalformed, onError } = this.#options
    const control = readControl(message)
    if (control === undefined) {
      onMalformed()
    } else if (control.type !== 'info') {
      onOrder(control)
    } else {
      const answer = { type: 'node', id: control.id, node: describe() }
      publisher.publish(keys.inbox(control.from), JSON.stringify(answer)).catch(onError)
    }
  }

  #receiveAnswer(message: Buffer): void {
    const answer = readAnswer(message)
    if (answer === undefined) {
      this.#options.onMalformed()
    } else {
      this.#collector.take(answer)
    }
  }
}
