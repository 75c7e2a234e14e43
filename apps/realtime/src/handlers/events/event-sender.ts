import { randomUUID } from 'node:crypto'
import { Backoff } from '@portcullis/gate/grants'
import { Agent } from 'undici'
import type { ClientEvent, EventSource, Events } from '../../connection/events.js'
import type { Endpoint } from '../endpoints.js'
import { HandlerError } from '../errors.js'
import { requestHeaders } from '../request.js'
import { signRequest } from './sign-request.js'
import { type Batch, WaitingEvents } from './waiting-events.js'

/** Keeps a request below the 100 kB that common servers accept. */
const maxBatch = 250
/** Waits between retries, in milliseconds. */
const firstRetryMs = 100
const maxRetryMs = 10_000
/** The same while the node closes. */
const maxClosingRetryMs = 100

export interface EventSenderOptions {
  endpoint: Endpoint
  /** Sent with each request, as with the calls of handlers, and signs it. */
  secret: string | undefined
  /** Name of the node. */
  node: string
  /** Time from the request to the last byte of its answer, in milliseconds. */
  timeoutMs: number
  /** Maximum number of events that wait, besides those of the request in flight. */
  maxWaiting: number
  /** Time for which a request gathers events, in milliseconds. */
  gatherMs: number
  /** Called for the first failure after a success. */
  onFailing: (endpoint: string, error: unknown) => void
  /** Called for the first success after a failure. */
  onRecovered: (endpoint: string) => void
}

/** An event as the backend gets it. */
type Report = ClientEvent & {
  /** Counts the events of this process, from 1. Gaps are events that were dropped. */
  readonly seq: number
  /** Unix milliseconds. */
  readonly time: number
  readonly client: string
  readonly user: string
  readonly identity: string
  readonly transport: string
  readonly protocol: 'json' | 'protobuf'
}

/**
 * Reports events to the application's backend: in batches, in order, one request at a time. Repeats a
 * request until it is answered with 2xx, so a backend may get a batch twice. Never blocks the caller.
 */
export class EventSender implements Events {
  readonly counts = { sent: 0, lost: 0 }
  readonly #options: EventSenderOptions
  readonly #agent: Agent
  readonly #headers: Record<string, string>
  /** Names this run of the process. */
  readonly #run = randomUUID()
  readonly #waiting: WaitingEvents<Report>
  readonly #backoff = new Backoff(firstRetryMs, maxRetryMs)
  readonly #abandoned = new AbortController()
  #sequence = 0
  #sending: Promise<void> | undefined
  #endPause: (() => void) | undefined
  #closing = false
  #failing = false

  constructor(options: EventSenderOptions) {
    this.#options = options
    this.#waiting = new WaitingEvents(options.maxWaiting)
    this.#headers = requestHeaders(options.secret)
    this.#agent = new Agent({ connections: 1, pipelining: 1, keepAliveTimeout: 30_000 })
  }

  /** Number of events that wait for a request. */
  get waiting(): number {
    return this.#waiting.size
  }

  record({ id, subject, identity, codec, transport }: EventSource, event: ClientEvent): void {
    this.#sequence += 1
    const isKept = this.#waiting.add({
      seq: this.#sequence,
      time: Date.now(),
      ...event,
      client: id,
      user: subject,
      identity,
      transport,
      protocol: codec.binary ? 'protobuf' : 'json',
    })
    if (!isKept) {
      this.counts.lost += 1
    }
    this.#sending ??= this.#sendAll()
  }

  /** Sends what waits, within `maxMs` milliseconds, and closes the connection to the backend. */
  async close(maxMs: number): Promise<void> {
    this.#closing = true
    this.#endPause?.()
    const deadline = setTimeout(() => {
      this.#abandoned.abort(new HandlerError('withdrawn', 'the node closes'))
      this.#endPause?.()
    }, maxMs)
    await this.#sending
    clearTimeout(deadline)
    await this.#agent.destroy()
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#abandoned
    while (this.#waiting.size > 0 && !signal.aborted) {
      if (!this.#closing) {
        await this.#pause(this.#options.gatherMs)
      }
      await this.#deliver(this.#waiting.take(maxBatch))
    }
    this.#sending = undefined
  }

  /** Repeats a request until it succeeds or the node has closed. */
  async #deliver({ events, lost }: Batch<Report>): Promise<void> {
    const body = JSON.stringify({ node: this.#options.node, run: this.#run, lost, events })
    while (!this.#abandoned.signal.aborted) {
      try {
        await this.#post(`${this.#run}.${events[0]?.seq ?? 0}`, body)
        this.#succeeded(events.length)
        return
      } catch (error) {
        this.#failed(error)
        const ms = this.#backoff.next()
        await this.#pause(this.#closing ? Math.min(ms, maxClosingRetryMs) : ms)
      }
    }
    this.counts.lost += events.length
  }

  async #post(id: string, body: string): Promise<void> {
    const { endpoint, timeoutMs, secret } = this.#options
    const { url } = endpoint
    const { statusCode, body: answer } = await this.#agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'POST',
      headers: { ...this.#headers, ...signRequest(secret, id, body) },
      body,
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#abandoned.signal]),
    })
    await answer.dump()
    if (statusCode < 200 || statusCode > 299) {
      throw new HandlerError('status', `the backend answered with HTTP status ${statusCode}`)
    }
  }

  #succeeded(events: number): void {
    this.counts.sent += events
    this.#backoff.reset()
    if (this.#failing) {
      this.#failing = false
      this.#options.onRecovered(this.#options.endpoint.name)
    }
  }

  #failed(error: unknown): void {
    if (!this.#failing) {
      this.#failing = true
      this.#options.onFailing(this.#options.endpoint.name, error)
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#endPause = undefined
        resolve()
      }
      const timer = setTimeout(end, ms)
      this.#endPause = end
    })
  }
}
