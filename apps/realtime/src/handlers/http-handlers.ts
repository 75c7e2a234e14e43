import { Readable } from 'node:stream'
import { replyErrors } from '@portcullis/protocol'
import { Agent } from 'undici'
import type { Handler, HandlerCall, HandlerOutcome, Handlers } from '../connection/handlers.js'
import { readAnswer } from './answer.js'
import type { Endpoint, Endpoints } from './endpoints.js'
import { HandlerError } from './errors.js'
import { requestBody, requestHeaders } from './request.js'

export interface HttpHandlersOptions {
  endpoints: Endpoints
  /** Sent with each call, so that handlers can verify the caller. */
  secret: string | undefined
  /** Time from the call to the last byte of its answer, in milliseconds. */
  timeoutMs: number
  /** Maximum number of calls in flight; further calls get error 111. */
  maxCalls: number
  maxAnswerBytes: number
  /** Called for the first failure of a handler after a success. */
  onFailing: (endpoint: string, error: unknown) => void
  /** Called for the first success of a handler after a failure. */
  onRecovered: (endpoint: string) => void
  /** Called with the milliseconds that a call took. */
  onDone?: (result: 'answered' | 'failed', ms: number) => void
}

/** Calls the application's handlers over kept-alive HTTP connections. Does not follow redirects. */
export class HttpHandlers implements Handlers {
  readonly send: Handler | undefined
  readonly connect: Handler | undefined
  readonly counts = { answered: 0, failed: 0, refused: 0 }
  readonly #options: HttpHandlersOptions
  readonly #agent: Agent
  readonly #headers: Record<string, string>
  readonly #failing = new Set<string>()
  #callsInFlight = 0

  constructor(options: HttpHandlersOptions) {
    const { endpoints, secret, timeoutMs, maxCalls, maxAnswerBytes } = options
    this.#options = options
    this.send = this.#handlerAt(endpoints.send)
    this.connect = this.#handlerAt(endpoints.connect)
    this.#headers = requestHeaders(secret)
    this.#agent = new Agent({
      connections: maxCalls,
      pipelining: 1,
      connect: { timeout: timeoutMs },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 30_000,
      maxResponseSize: maxAnswerBytes,
    })
  }

  get callsInFlight(): number {
    return this.#callsInFlight
  }

  rpc(method: string): Handler | undefined {
    return this.#handlerAt(this.#options.endpoints.rpc.of(method))
  }

  subscribe(channel: string): Handler | undefined {
    return this.#handlerAt(this.#options.endpoints.subscribe.of(channel))
  }

  publish(channel: string): Handler | undefined {
    return this.#handlerAt(this.#options.endpoints.publish.of(channel))
  }

  subRefresh(channel: string): Handler | undefined {
    return this.#handlerAt(this.#options.endpoints.subRefresh.of(channel))
  }

  /** Aborts all calls and closes all connections. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #handlerAt(endpoint: Endpoint | undefined): Handler | undefined {
    return endpoint === undefined ? undefined : (call) => this.#call(endpoint, call)
  }

  async #call(endpoint: Endpoint, call: HandlerCall): Promise<HandlerOutcome> {
    const body = Buffer.from(requestBody(call, endpoint.binary))
    if (this.#callsInFlight >= this.#options.maxCalls) {
      this.counts.refused += 1
      return { error: replyErrors.tooManyRequests }
    }
    this.#callsInFlight += 1
    const startedAt = performance.now()
    try {
      const answer = await this.#post(endpoint.url, body, call)
      this.counts.answered += 1
      this.#options.onDone?.('answered', performance.now() - startedAt)
      if (this.#failing.delete(endpoint.name)) {
        this.#options.onRecovered(endpoint.name)
      }
      return answer
    } catch (error) {
      // The client does not see the error; a withdrawn call is not a failure.
      if (call.wanted()) {
        this.#options.onDone?.('failed', performance.now() - startedAt)
        this.#failed(endpoint, error)
      }
      return { error: replyErrors.internal }
    } finally {
      this.#callsInFlight -= 1
    }
  }

  #failed({ name }: Endpoint, error: unknown): void {
    this.counts.failed += 1
    if (this.#failing.has(name)) {
      return
    }
    this.#failing.add(name)
    this.#options.onFailing(name, error)
  }

  async #post(url: URL, body: Buffer, call: HandlerCall): Promise<HandlerOutcome> {
    const { timeoutMs } = this.#options
    // undici's timeouts restart with each byte; this one bounds the whole answer.
    const deadline = new AbortController()
    const timer = setTimeout(
      () => deadline.abort(new HandlerError('timeout', `no answer in ${timeoutMs} ms`)),
      timeoutMs,
    )
    try {
      const { statusCode, body: answered } = await this.#agent.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: 'POST',
        headers: { ...this.#headers, 'content-length': String(body.length) },
        body: bodyWhileWanted(body, call),
        signal: deadline.signal,
      })
      const text = await answered.text()
      if (statusCode !== 200 && statusCode !== 204) {
        throw new HandlerError('status', `the handler answered with HTTP status ${statusCode}`)
      }
      const answer = readAnswer(text)
      if (answer !== undefined) {
        return answer
      }
      throw new HandlerError('malformed', 'the answer of the handler is malformed')
    } finally {
      clearTimeout(timer)
    }
  }
}

/**
 * Returns a stream that undici reads once it has a connection for the request. If the client was
 * revoked or the node lost its lease by then, no byte is sent.
 */
function bodyWhileWanted(body: Buffer, call: HandlerCall): Readable {
  async function* once() {
    if (!call.wanted()) {
      throw new HandlerError('withdrawn', 'the connection has ended')
    }
    yield body
  }
  return Readable.from(once(), { objectMode: false })
}
