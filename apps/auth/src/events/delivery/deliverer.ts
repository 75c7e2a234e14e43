import { randomUUID } from 'node:crypto'
import { pushMethod } from '@portcullis/contracts/event-receivers'
import {
  holdEventPusher,
  listEventReceivers,
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
import { type Answer, Pusher } from './pusher.js'
import { refill } from './refill.js'
import { Retries } from './retries.js'
import { securityEvent, securityEventType } from './security-event.js'

/** So often receivers are looked at without an occasion. */
const lookMs = 1000
/** Events that are taken from a queue at once. Those that failed are among them: see `Retries`. */
const takenAtOnce = 256
/** Requests to one receiver at the same time. Their order is not kept; RFC 8935 asks for none. */
const concurrency = 8

/** What is known of a receiver here, and lost with the process. */
interface Known {
  /** As it was when this was learned. One that was changed is tried again at once. */
  receiver: string
  retries: Retries
  /** Under way, if one is. */
  turn: Promise<void> | undefined
  /** The feed's position that its queue has everything up to. */
  filledTo: string | undefined
  /** The Authorization header, once it was opened: it takes as long as it must. */
  header: { open: string | undefined } | undefined
  held: boolean
}

/**
 * Keeps every receiver's queue filled from the feed, and pushes. Each auth process has one: all fill,
 * which only one of them can do for each event; one at a time pushes to a receiver, the one that holds
 * it. Receivers do not wait for one another, and revocations wait for none of this.
 */
export class Deliverer {
  readonly #events: Events
  readonly #onError: (error: unknown) => void
  readonly #process = randomUUID()
  readonly #known = new Map<string, Known>()
  readonly #pusher: Pusher
  readonly #running: Promise<void>
  #closed = false
  /** There is something to look at that the next look may not have seen. */
  #woken = false
  #endWait = () => {}
  #lastError: string | undefined

  constructor(events: Events, onError: (error: unknown) => void) {
    this.#events = events
    this.#onError = onError
    this.#pusher = new Pusher({ timeoutMs: events.settings.timeoutMs, concurrency })
    this.#running = this.#run()
  }

  /** Breaks off what is under way: it is delivered again, here or elsewhere. Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true
    this.#endWait()
    await this.#pusher.close()
    await this.#running
    await Promise.all([...this.#known.values()].map(({ turn }) => turn))
    const held = [...this.#known].filter(([, known]) => known.held)
    const given = held.map(([id]) => holdEventPusher(this.#events.registry, id, this.#process, 0))
    // Otherwise it runs out by itself.
    await Promise.allSettled(given)
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const { position } = this.#events.hub
      this.#woken = false
      await this.#look(position).catch((error) => this.#failed(error))
      if (!this.#closed && !this.#woken) {
        await this.#wait(position)
      }
    }
  }

  async #look(position: string): Promise<void> {
    const receivers = await listEventReceivers(this.#events.registry)
    this.#lastError = undefined
    const ids = new Set(receivers.map(({ id }) => id))
    for (const [id, { turn }] of this.#known) {
      if (!ids.has(id) && turn === undefined) {
        this.#known.delete(id)
      }
    }
    for (const receiver of receivers) {
      const known = this.#knownOf(receiver)
      const { dueAt } = known.retries
      known.turn ??= this.#turn(receiver, known, position)
        .catch((error) => this.#failed(error))
        .finally(() => {
          known.turn = undefined
          // What has come meanwhile was left to this moment, and the wait knows nothing of new delays.
          if (this.#events.hub.position === position && known.retries.dueAt === dueAt) {
            return
          }
          this.#woken = true
          this.#endWait()
        })
    }
  }

  /** Until the feed brings something, a receiver is to be tried again, or a while has passed. */
  async #wait(position: string): Promise<void> {
    const due = [...this.#known.values()].map(({ retries }) => retries.dueAt - performance.now())
    const woken = new AbortController()
    this.#endWait = () => woken.abort()
    const timer = setTimeout(this.#endWait, Math.max(0, Math.min(lookMs, ...due)))
    await this.#events.hub.movedFrom(position, woken.signal)
    clearTimeout(timer)
  }

  async #turn(receiver: Receiver, known: Known, position: string): Promise<void> {
    const { registry } = this.#events
    const { id, delivery, status } = receiver
    if (known.filledTo !== position) {
      await refill(this.#events, receiver).then(
        () => {
          known.filledTo = position
        },
        // A partition that is away holds up neither the others' events nor those that are queued.
        (error) => this.#failed(error),
      )
    }
    const mayTry = known.retries.mayTry(performance.now())
    if (delivery.method !== pushMethod || status !== 'enabled' || !mayTry) {
      return
    }
    if ((await takeEvents(registry, id, 1)).length === 0) {
      return
    }
    while (await this.#hold(id, known)) {
      const taken = await takeEvents(registry, id, takenAtOnce)
      const events = known.retries.untried(taken).slice(0, concurrency)
      if (events.length === 0 || !(await this.#push(receiver, delivery, known, events))) {
        return
      }
    }
  }

  async #hold(id: string, known: Known): Promise<boolean> {
    if (this.#closed) {
      return false
    }
    // Longer than a batch takes, and than it is until the next look.
    const ms = this.#events.settings.timeoutMs + 5 * lookMs
    known.held = await holdEventPusher(this.#events.registry, id, this.#process, ms)
    return known.held
  }

  /** Pushes a few events. Gives whether to go on with others at once. */
  async #push(
    receiver: Receiver,
    delivery: StoredPush,
    known: Known,
    events: readonly QueuedEvent[],
  ): Promise<boolean> {
    const { registry, meters, settings } = this.#events
    const answers = await Promise.all(
      events.map((event) => this.#pushOne(receiver, delivery, known, event)),
    )
    const outcomes = new Map<string, Outcome>()
    const failed: QueuedEvent[] = []
    let failure = ''
    for (const [index, event] of events.entries()) {
      const answer = answers[index] ?? { failed: '' }
      if ('taken' in answer) {
        outcomes.set(event.jti, 'delivered')
      } else if ('refused' in answer) {
        failure = answer.refused
        outcomes.set(event.jti, 'refused')
      } else if (!this.#closed) {
        // Broken off by the close, it would be no failure of the receiver's.
        failure = answer.failed
        if (isExpired(event, settings.maxAgeMs)) {
          outcomes.set(event.jti, 'expired')
        } else {
          failed.push(event)
        }
      }
    }
    meters.settled(await settleEvents(registry, receiver.id, outcomes, failure))
    meters.attemptsFailed.inc(failed.length)
    const answered = [...outcomes.values()].some((outcome) => outcome !== 'expired')
    known.retries.tried(failed, answered, performance.now())
    return answered
  }

  async #pushOne(
    receiver: Receiver,
    delivery: StoredPush,
    known: Known,
    event: QueuedEvent,
  ): Promise<Answer> {
    const { jwt, settings } = this.#events
    let endpoint: URL
    let authorization: string | undefined
    try {
      // The settings may have changed since the receiver was added.
      endpoint = endpointOf(delivery.endpoint_url, settings.httpHosts)
    } catch (error) {
      return { failed: error instanceof Error ? error.message : 'endpoint_url cannot be used' }
    }
    try {
      authorization = await this.#authorization(delivery, known)
    } catch {
      return {
        failed:
          'authorization_header cannot be opened: check KEY_ENCRYPTION_SECRET, or send the header anew',
      }
    }
    const signed = await signAs(jwt, securityEventType, securityEvent(jwt.issuer, receiver, event))
    return this.#pusher.push(endpoint, authorization, signed)
  }

  async #authorization(delivery: StoredPush, known: Known): Promise<string | undefined> {
    known.header ??= { open: await openAuthorization(this.#events.settings.secrets, delivery) }
    return known.header.open
  }

  #knownOf(receiver: Receiver): Known {
    const text = JSON.stringify(receiver)
    const before = this.#known.get(receiver.id)
    if (before !== undefined && (before.receiver === text || before.turn !== undefined)) {
      return before
    }
    const known: Known = {
      receiver: text,
      retries: new Retries(this.#events.settings.retryMs),
      turn: undefined,
      filledTo: before?.filledTo,
      header: undefined,
      held: before?.held ?? false,
    }
    this.#known.set(receiver.id, known)
    return known
  }

  /** Every look meets the same error again; only a new one is news. */
  #failed(error: unknown): void {
    const said = String(error)
    if (this.#closed || said === this.#lastError) {
      return
    }
    this.#lastError = said
    this.#onError(error)
  }
}

/** The notice that others were missed is delivered in the end, however late. */
function isExpired({ at, what }: QueuedEvent, maxAgeMs: number): boolean {
  return what.kind !== 'missed' && Date.now() - at > maxAgeMs
}
