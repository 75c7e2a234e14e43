import { defined } from '@portcullis/contracts/defined'
import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Agent } from 'undici'
import { lookup } from '../receivers/endpoint.js'
import { securityEventType } from './security-event.js'

const maxResponseBytes = 16 * 1024

/** The body of a 400 response (RFC 8935 §2.3). */
const ErrorResponse = Type.Object({ err: Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }) })
type ErrorResponse = Static<typeof ErrorResponse>

/**
 * Errors that are worth a retry: the receiver has not fetched our new key yet, or its authorization
 * header was changed and is going to be set here too.
 */
const temporaryErrors: readonly string[] = ['invalid_key', 'authentication_failed', 'access_denied']

/**
 * The result of a push. `refused`: the receiver will never take this event. `failed`: try again later.
 * The text is for people; of the receiver's response it contains only the status and the error code.
 */
export type PushResult = { taken: true } | { refused: string } | { failed: string }

export interface PusherOptions {
  /** From the start of the connection to the last byte of the response, in milliseconds. */
  timeoutMs: number
  /** Requests to one receiver at the same time. */
  concurrency: number
}

/** Pushes events (RFC 8935) over kept-alive HTTP connections. Follows no redirects. */
export class Pusher {
  readonly #options: PusherOptions
  #agent: Promise<Agent> | undefined
  #closed = false

  constructor(options: PusherOptions) {
    this.#options = options
  }

  /** Delivers one event. Never rejects: errors are results too. */
  async push(endpoint: URL, authorization: string | undefined, event: string): Promise<PushResult> {
    const { timeoutMs } = this.#options
    // undici's timeouts restart at each byte; this one also ends a slow trickle.
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(), timeoutMs)
    try {
      this.#agent ??= openAgent(this.#options)
      const agent = await this.#agent
      if (this.#closed) {
        return { failed: 'closing' }
      }
      const { statusCode, body } = await agent.request({
        origin: endpoint.origin,
        path: endpoint.pathname + endpoint.search,
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': `application/${securityEventType}`,
          ...defined({ authorization }),
        },
        body: event,
        signal: timeout.signal,
      })
      const text = await body.text()
      // Only 202 (RFC 8935 §2.2): a web page that answers 200 to everything is not a receiver.
      if (statusCode === 202) {
        return { taken: true }
      }
      const err = statusCode === 400 ? errOf(text) : undefined
      if (err === undefined) {
        return { failed: `answered ${statusCode}, not 202` }
      }
      return temporaryErrors.includes(err)
        ? { failed: `answered ${err}` }
        : { refused: `answered ${err}` }
    } catch (error) {
      if (timeout.signal.aborted) {
        return { failed: `no answer in ${timeoutMs} ms` }
      }
      return { failed: `not reached: ${codeOf(error)}` }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Aborts requests in flight and closes the connections. */
  async close(): Promise<void> {
    this.#closed = true
    await (await this.#agent)?.destroy()
  }
}

/** Loads undici at the first push: many installations have no receiver. */
async function openAgent({ timeoutMs, concurrency }: PusherOptions): Promise<Agent> {
  // In a bundle, a CommonJS package that is imported later has its default export alone.
  const { default: undici } = await import('undici')
  return new undici.Agent({
    connections: concurrency,
    pipelining: 1,
    connect: { timeout: timeoutMs, lookup },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 30_000,
    maxResponseSize: maxResponseBytes,
  })
}

function errOf(text: string): ErrorResponse['err'] | undefined {
  try {
    const response: unknown = JSON.parse(text)
    return Value.Check(ErrorResponse, response) ? response.err : undefined
  } catch {
    return undefined
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return 'unknown error'
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
