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

/** Polls of one receiver that wait here at the same time; another one is answered at once. */
const maxWaiting = 4
/** So often a poll that waits looks by itself: for what no commit announces, as a verification. */
const lookMs = 1000

/** Answers polls (RFC 8936). One for each process. */
export class Poller {
  readonly #events: Events
  readonly #closing = new AbortController()
  readonly #waiting = new Map<string, number>()

  constructor(events: Events) {
    this.#events = events
  }

  /**
   * Takes the acknowledgements, then gives what waits longest; when nothing does, waits for it.
   *
   * @param gone - aborted when the one who polls has hung up
   * @throws AuthError `invalid_request` when the receiver is pushed to
   * @throws RegistryError `receiver_not_found`
   */
  async poll(
    id: string,
    body: PollEvents,
    { act }: Pick<Authority, 'act'>,
    gone: AbortSignal,
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
    const found = await this.#take(receiver, limit, body.returnImmediately !== true, gone)
    const signed = found
      .slice(0, limit)
      .map(async (event) => [event.jti, await this.#sign(receiver, event)])
    return {
      sets: Object.fromEntries(await Promise.all(signed)),
      ...(found.length > limit ? { moreAvailable: true } : {}),
    }
  }

  /** Ends every wait; who waits gets an empty answer. */
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

  /** One more than `limit`, if there is one. */
  async #take(
    receiver: Receiver,
    limit: number,
    mayWait: boolean,
    gone: AbortSignal,
  ): Promise<QueuedEvent[]> {
    const { registry, hub, settings } = this.#events
    const { id } = receiver
    const waiting = this.#waiting.get(id) ?? 0
    const deadline = performance.now() + (mayWait && waiting < maxWaiting ? settings.pollWaitMs : 0)
    this.#waiting.set(id, waiting + 1)
    try {
      for (let now = receiver; ; now = await getEventReceiver(registry, id)) {
        const { position } = hub
        // A partition that is away holds up neither the others' events nor those that are queued.
        await refill(this.#events, now).catch(() => undefined)
        const found = now.status === 'enabled' ? await takeEvents(registry, id, limit + 1) : []
        const leftMs = Math.ceil(deadline - performance.now())
        const over = leftMs <= 0 || gone.aborted || this.#closing.signal.aborted
        if (found.length > 0 || over) {
          return found
        }
        await this.#news(position, Math.min(leftMs, lookMs), gone)
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

  /** Until the feed has moved on, so much time has passed, or there is nobody left to wait. */
  async #news(position: string, ms: number, gone: AbortSignal): Promise<void> {
    const over = new AbortController()
    const end = () => over.abort()
    const timer = setTimeout(end, ms)
    const signals = [gone, this.#closing.signal]
    for (const signal of signals) {
      signal.addEventListener('abort', end)
    }
    await this.#events.hub.movedFrom(position, over.signal)
    clearTimeout(timer)
    for (const signal of signals) {
      signal.removeEventListener('abort', end)
    }
  }

  #sign(receiver: Receiver, event: QueuedEvent): Promise<string> {
    const { jwt } = this.#events
    return signAs(jwt, securityEventType, securityEvent(jwt.issuer, receiver, event))
  }
}
