import { Readable } from 'node:stream'
import { replyErrors } from '@portcullis/protocol'
import { Agent } from 'undici'
import type { Answer, Call, Handler, Handlers } from '../connection/handlers.js'
import { readAnswer } from './answer.js'
import type { Endpoint, Endpoints } from './endpoints.js'
import { HandlerError } from './errors.js'
import { requestBody } from './request.js'

export interface HttpHandlersOptions {
  endpoints: Endpoints
  /** By which a handler knows that it is a node that asks. */
  secret: string | undefined
  /** From the call to the last byte of its answer. */
  timeoutMs: number
  /** Calls under way at the same time; more are answered 111. */
  maxCalls: number
  maxAnswerBytes: number
  /** Is told when a handler fails, and not again until it has answered; and then of that. */
  onFailing: (endpoint: string, error: unknown) => void
  onRecovered: (endpoint: string) => void
}

/** An application's handlers, asked over kept-alive HTTP. Redirects are not followed. */
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
    this.send = this.#at(endpoints.send)
    this.connect = this.#at(endpoints.connect)
    this.#headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    }
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
    return this.#at(this.#options.endpoints.rpc(method))
  }

  /** Ends every call under way and every connection. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #at(endpoint: Endpoint | undefined): Handler | undefined {
    return endpoint === undefined ? undefined : (call) => this.#ask(endpoint, call)
  }

  async #ask(endpoint: Endpoint, call: Call): Promise<Answer> {
    const body = written(call, endpoint.binary)
    if (body === undefined) {
      return { error: replyErrors.badRequest }
    }
    if (this.#callsInFlight >= this.#options.maxCalls) {
      this.counts.refused += 1
      return { error: replyErrors.tooManyRequests }
    }
    this.#callsInFlight += 1
    try {
      const answer = await this.#post(endpoint.url, body, call)
      this.counts.answered += 1
      if (this.#failing.delete(endpoint.name)) {
        this.#options.onRecovered(endpoint.name)
      }
      return answer
    } catch (error) {
      // Nothing of it reaches the client; and a call that was taken back is no failure.
      if (call.wanted()) {
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

  async #post(url: URL, body: Buffer, call: Call): Promise<Answer> {
    const { timeoutMs } = this.#options
    // undici's own timeouts count from byte to byte; this one ends a trickle too.
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
        body: whenSent(body, call),
        signal: deadline.signal,
      })
      const text = await answered.text()
      if (statusCode !== 200 && statusCode !== 204) {
        throw new HandlerError('status', `the handler has answered ${statusCode}`)
      }
      const answer = readAnswer(text)
      if (answer !== undefined) {
        return answer
      }
      throw new HandlerError('malformed', 'the answer is not of the contract')
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Undefined: nested deeper than JSON can be written. */
function written(call: Call, binary: boolean): Buffer | undefined {
  try {
    return Buffer.from(requestBody(call, binary))
  } catch (error) {
    if (error instanceof RangeError) {
      return undefined
    }
    throw error
  }
}

/**
 * The body is read when there is a connection to write the request on. Until then the client may
 * have been revoked, or the node have lost its lease: then no byte of it leaves.
 */
function whenSent(body: Buffer, call: Call): Readable {
  async function* once() {
    if (!call.wanted()) {
      throw new HandlerError('withdrawn', 'the connection has ended')
    }
    yield body
  }
  return Readable.from(once(), { objectMode: false })
}
