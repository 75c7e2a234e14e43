import { randomUUID } from 'node:crypto'
import { listEventReceivers, type Receiver } from '../../registry/index.js'
import type { Events } from '../context.js'
import { Pusher } from './pusher.js'
import { type DeliveryContext, ReceiverDelivery } from './receiver-delivery.js'

/** How often receivers are looked at when nothing happens, in milliseconds. */
const lookIntervalMs = 1000
/** Requests to one receiver at the same time. Their order is not kept; RFC 8935 requires none. */
const concurrency = 8

/**
 * Keeps the queue of every receiver filled from the feed, and pushes. Each auth process runs one. All of
 * them fill the queues, where each event is queued once; only the process that has claimed a receiver pushes
 * to it. Receivers do not wait for one another, and revocations wait for no receiver.
 */
export class Deliverer {
  readonly #events: Events
  readonly #onError: (error: unknown) => void
  readonly #deliveries = new Map<string, ReceiverDelivery>()
  readonly #pusher: Pusher
  readonly #context: DeliveryContext
  readonly #running: Promise<void>
  readonly #closing = new AbortController()
  /** Aborted when there is a reason to look again at once. */
  #lookAgain = new AbortController()
  #lastError: string | undefined

  constructor(events: Events, onError: (error: unknown) => void) {
    this.#events = events
    this.#onError = onError
    const { timeoutMs } = events.settings
    this.#pusher = new Pusher({ timeoutMs, concurrency })
    this.#context = {
      events,
      pusher: this.#pusher,
      concurrency,
      process: randomUUID(),
      // Longer than one batch takes, and longer than until the next look.
      claimMs: timeoutMs + 5 * lookIntervalMs,
      closing: this.#closing.signal,
      onError: (error) => this.#failed(error),
    }
    this.#running = this.#run()
  }

  /** Aborts requests in flight: their events are delivered again, here or elsewhere. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#lookAgain.abort()
    await this.#pusher.close()
    await this.#running
    const deliveries = [...this.#deliveries.values()]
    await Promise.all(deliveries.map(({ turn }) => turn))
    // A claim that is not released expires.
    await Promise.allSettled(deliveries.map((delivery) => delivery.release()))
  }

  async #run(): Promise<void> {
    const { hub } = this.#events
    while (!this.#closing.signal.aborted) {
      const { position } = hub
      this.#lookAgain = new AbortController()
      await this.#look(position).catch((error) => this.#failed(error))
      const dueMs = [...this.#deliveries.values()].map(
        ({ retries }) => retries.dueAt - performance.now(),
      )
      await hub.movedFrom(position, {
        signals: [this.#closing.signal, this.#lookAgain.signal],
        maxWaitMs: Math.max(0, Math.min(lookIntervalMs, ...dueMs)),
      })
    }
  }

  async #look(position: string): Promise<void> {
    const receivers = await listEventReceivers(this.#events.registry)
    this.#lastError = undefined
    const ids = new Set(receivers.map(({ id }) => id))
    for (const [id, { turn }] of this.#deliveries) {
      if (!ids.has(id) && turn === undefined) {
        this.#deliveries.delete(id)
      }
    }
    for (const receiver of receivers) {
      this.#startTurn(this.#deliveryTo(receiver), position)
    }
  }

  #startTurn(delivery: ReceiverDelivery, position: string): void {
    const { retries } = delivery
    const { dueAt } = retries
    delivery.turn ??= delivery
      .run(position)
      .catch((error) => this.#failed(error))
      .finally(() => {
        delivery.turn = undefined
        // Events that arrived during the turn were left to the next look, and the wait that is in
        // progress does not know of a new delay.
        if (this.#events.hub.position !== position || retries.dueAt !== dueAt) {
          this.#lookAgain.abort()
        }
      })
  }

  /** Returns the delivery to a receiver; a new one, which retries at once, when the receiver was changed. */
  #deliveryTo(receiver: Receiver): ReceiverDelivery {
    const before = this.#deliveries.get(receiver.id)
    if (before !== undefined && (before.turn !== undefined || before.isTo(receiver))) {
      return before
    }
    const delivery = new ReceiverDelivery(this.#context, receiver, before)
    this.#deliveries.set(receiver.id, delivery)
    return delivery
  }

  /** Reports an error once: every look meets the same error again. */
  #failed(error: unknown): void {
    const text = String(error)
    if (this.#closing.signal.aborted || text === this.#lastError) {
      return
    }
    this.#lastError = text
    this.#onError(error)
  }
}
