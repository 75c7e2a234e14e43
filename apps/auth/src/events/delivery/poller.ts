import {
  maxPolledEvents,
  type PollEvents,
  type PolledEvents,
  pollMethod,
} from '@portcullis/contracts/event-receivers'
import type { Authority } from '../../callers/callers.js'
import { AuthError } from '../../errors.js'
import {
  getEventReceiver,
  type Outcome,
  type QueuedEvent,
  type Receiver,
  type Registry,
  settleEvents,
  takeEvents,
} from '../../registry/index.js'
import { signAs } from '../../tokens/sign-as.js'
import type { Events } from '../context.js'
import { refill } from './refill.js'
import { securityEvent, securityEventType } from './security-event.js'

/** Polls of one receiver that wait in this process at the same time; a further one is answered at once. */
const maxWaiting = 4
/** How often a waiting poll looks for events that no commit announces, such as a verification. */
const lookIntervalMs = 1000

/** Answers polls (RFC 8936). Each process has one. */
export class Poller {
  readonly #events: Events
  readonly #closing = new AbortController()
  /** Number of polls that wait, by receiver. */
  readonly #waiting = new Map<string, number>()

  constructor(events: Events) {
    this.#events = events
  }

  /**
   * Takes the acknowledgements, then returns the oldest events; waits for one when the queue is empty.
   *
   * @param hungUp - aborted when the caller has closed its connection
   * @throws AuthError `invalid_request` when events are pushed to the receiver
   * @throws RegistryError `receiver_not_found`
   */
  async poll(
    id: string,
    body: PollEvents,
    { act }: Pick<Authority, 'act'>,
    hungUp: AbortSignal,
  ): Promise<PolledEvents> {
    const receiver = await getEventReceiver(this.#events.registry, id)
    if (receiver.delivery.method !== pollMethod) {
      throw new AuthError('invalid_request', 'events are pushed to this receiver; it cannot poll')
    }
    await act((registry) => this.#settle(registry, id, body))
    const limit = Math.min(body.maxEvents ?? maxPolledEvents, maxPolledEvents)
    if (limit === 0) {
      return { sets: {} }
    }
    const found = await this.#take(receiver, limit + 1, body.returnImmediately !== true, hungUp)
    const signed = found
      .slice(0, limit)
      .map(async (event) => [event.jti, await this.#sign(receiver, event)])
    return {
      sets: Object.fromEntries(await Promise.all(signed)),
      ...(found.length > limit ? { moreAvailable: true } : {}),
    }
  }

  /** Ends every wait; the waiting polls are answered without events. */
  close(): void {
    this.#closing.abort()
  }

  async #settle(
    registry: Registry,
    id: string,
    { ack = [], setErrs = {} }: PollEvents,
  ): Promise<void> {
    const { meters } = this.#events
    const errs = Object.entries(setErrs)
    const outcomes = new Map<string, Outcome>([
      ...ack.map((jti) => [jti, 'delivered'] as const),
      ...errs.map(([jti]) => [jti, 'refused'] as const),
    ])
    const last = errs.at(-1)?.[1].err
    meters.settled(
      await settleEvents(registry, id, outcomes, last === undefined ? '' : `answered ${last}`),
    )
  }

  /** Returns at most `max` events, and waits for the first when `mayWait`. */
  async #take(
    receiver: Receiver,
    max: number,
    mayWait: boolean,
    hungUp: AbortSignal,
  ): Promise<QueuedEvent[]> {
    const { registry, hub, settings } = this.#events
    const { id } = receiver
    const waiting = this.#waiting.get(id) ?? 0
    const deadline = performance.now() + (mayWait && waiting < maxWaiting ? settings.pollWaitMs : 0)
    const signals = [hungUp, this.#closing.signal]
    this.#waiting.set(id, waiting + 1)
    try {
      for (let current = receiver; ; current = await getEventReceiver(registry, id)) {
        const { position } = hub
        // A partition that is away delays neither events of the others nor queued ones.
        await refill(this.#events, current).catch(() => undefined)
        const found = current.status === 'enabled' ? await takeEvents(registry, id, max) : []
        const leftMs = Math.ceil(deadline - performance.now())
        if (found.length > 0 || leftMs <= 0 || signals.some(({ aborted }) => aborted)) {
          return found
        }
        await hub.movedFrom(position, { signals, maxWaitMs: Math.min(leftMs, lookIntervalMs) })
      }
    } finally {
      const left = (this.#waiting.get(id) ?? 1) - 1
      if (left > 0) {
        this.#waiting.set(id, left)
      } else {
        this.#waiting.delete(id)
      }
    }
  }

  #sign(receiver: Receiver, event: QueuedEvent): Promise<string> {
    const { jwt } = this.#events
    return signAs(jwt, securityEventType, securityEvent(jwt.issuer, receiver, event))
  }
}
