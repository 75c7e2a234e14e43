import { pushMethod } from '@portcullis/contracts/event-receivers'
import {
  claimEventPusher,
  type Outcome,
  type QueuedEvent,
  type Receiver,
  type StoredPush,
  settleEvents,
  takeEvents,
} from '../../registry/index.js'
import { signAs } from '../../tokens/sign-as.js'
import type { Events } from '../context.js'
import { openAuthorization } from '../receivers/authorization.js'
import { endpointOf } from '../receivers/endpoint.js'
import type { Pusher, PushResult } from './pusher.js'
import { refill } from './refill.js'
import { Retries } from './retries.js'
import { securityEvent, securityEventType } from './security-event.js'

/** Events read from a queue at once. Failed ones are among them: see `Retries`. */
const maxEventsPerRead = 256

/** Dependencies that the deliveries to all receivers share. */
export interface DeliveryContext {
  events: Events
  pusher: Pusher
  /** Requests to one receiver at the same time. */
  concurrency: number
  /** Identifies this process when it claims a receiver. */
  process: string
  /** How long a claim of a receiver lasts, in milliseconds. */
  claimMs: number
  /** Aborts when this process stops to deliver. */
  closing: AbortSignal
  onError: (error: unknown) => void
}

/** This process's delivery to one receiver. It is lost with the process. */
export class ReceiverDelivery {
  readonly retries: Retries
  /** The turn in progress. */
  turn: Promise<void> | undefined
  readonly #context: DeliveryContext
  readonly #receiver: Receiver
  readonly #receiverText: string
  /** The feed's position up to which the queue has everything. */
  #filledTo: string | undefined
  #claimed = false
  /** The decrypted Authorization header; decrypting is slow on purpose. */
  #authorization: { header: string | undefined } | undefined

  /** @param before - the delivery to the same receiver before its settings changed */
  constructor(context: DeliveryContext, receiver: Receiver, before?: ReceiverDelivery) {
    this.#context = context
    this.#receiver = receiver
    this.#receiverText = JSON.stringify(receiver)
    this.retries = new Retries(context.events.settings.retryMs)
    if (before !== undefined) {
      this.#filledTo = before.#filledTo
      this.#claimed = before.#claimed
    }
  }

  /** Returns true when the receiver is the same, with the same settings. */
  isTo(receiver: Receiver): boolean {
    return JSON.stringify(receiver) === this.#receiverText
  }

  /**
   * Fills the queue from the feed, and pushes until the queue is empty or the receiver stops to answer.
   *
   * @param position - where the hub's tail stands
   */
  async run(position: string): Promise<void> {
    const { registry } = this.#context.events
    const { id, delivery, status } = this.#receiver
    await this.#fill(position)
    const mayTry = this.retries.mayTry(performance.now())
    if (delivery.method !== pushMethod || status !== 'enabled' || !mayTry) {
      return
    }
    if ((await takeEvents(registry, id, 1)).length === 0) {
      return
    }
    while (await this.#claim()) {
      const taken = await takeEvents(registry, id, maxEventsPerRead)
      const events = this.retries.untried(taken).slice(0, this.#context.concurrency)
      if (events.length === 0 || !(await this.#push(delivery, events))) {
        return
      }
    }
  }

  /** Lets another process push to the receiver. */
  async release(): Promise<void> {
    if (this.#claimed) {
      const { events, process } = this.#context
      await claimEventPusher(events.registry, this.#receiver.id, process, 0)
    }
  }

  async #fill(position: string): Promise<void> {
    if (this.#filledTo === position) {
      return
    }
    try {
      await refill(this.#context.events, this.#receiver)
      this.#filledTo = position
    } catch (error) {
      // A partition that is away delays neither events of the others nor queued ones.
      this.#context.onError(error)
    }
  }

  /** Claims the receiver for this process. Returns false when another process has claimed it. */
  async #claim(): Promise<boolean> {
    const { events, process, claimMs, closing } = this.#context
    if (closing.aborted) {
      return false
    }
    this.#claimed = await claimEventPusher(events.registry, this.#receiver.id, process, claimMs)
    return this.#claimed
  }

  /** Pushes a batch. Returns true when the receiver answered, so that the next batch may follow at once. */
  async #push(delivery: StoredPush, events: readonly QueuedEvent[]): Promise<boolean> {
    const { registry, meters, settings } = this.#context.events
    const results = await Promise.all(events.map((event) => this.#pushOne(delivery, event)))
    const outcomes = new Map<string, Outcome>()
    const failed: QueuedEvent[] = []
    let failure = ''
    for (const [index, event] of events.entries()) {
      const result = results[index] ?? { failed: '' }
      if ('taken' in result) {
        outcomes.set(event.jti, 'delivered')
      } else if ('refused' in result) {
        failure = result.refused
        outcomes.set(event.jti, 'refused')
      } else if (!this.#context.closing.aborted) {
        // A request that the close aborted is no failure of the receiver.
        failure = result.failed
        if (isExpired(event, settings.maxAgeMs)) {
          outcomes.set(event.jti, 'expired')
        } else {
          failed.push(event)
        }
      }
    }
    meters.settled(await settleEvents(registry, this.#receiver.id, outcomes, failure))
    meters.attemptsFailed += failed.length
    const answered = [...outcomes.values()].some((outcome) => outcome !== 'expired')
    this.retries.tried(failed, answered, performance.now())
    return answered
  }

  async #pushOne(delivery: StoredPush, event: QueuedEvent): Promise<PushResult> {
    const { events, pusher } = this.#context
    const { jwt, settings } = events
    let endpoint: URL
    try {
      // The settings may have changed since the receiver was added.
      endpoint = endpointOf(delivery.endpoint_url, settings.httpHosts)
    } catch (error) {
      return { failed: error instanceof Error ? error.message : 'endpoint_url cannot be used' }
    }
    let header: string | undefined
    try {
      this.#authorization ??= { header: await openAuthorization(settings.secrets, delivery) }
      header = this.#authorization.header
    } catch {
      return {
        failed:
          'authorization_header cannot be decrypted: check KEY_ENCRYPTION_SECRET, or set the header again',
      }
    }
    const claims = securityEvent(jwt.issuer, this.#receiver, event)
    return pusher.push(endpoint, header, await signAs(jwt, securityEventType, claims))
  }
}

/** Returns true for an event that is too old to retry. The notice of missed events never expires. */
function isExpired({ at, what }: QueuedEvent, maxAgeMs: number): boolean {
  return what.kind !== 'missed' && Date.now() - at > maxAgeMs
}
