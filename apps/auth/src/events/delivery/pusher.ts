import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Agent } from 'undici'
import { lookup } from '../receivers/endpoint.js'
import { securityEventType } from './security-event.js'

const maxAnswerBytes = 16 * 1024

/** RFC 8935 §2.3. */
const ErrorAnswer = Type.Object({ err: Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }) })
type ErrorAnswer = Static<typeof ErrorAnswer>

/**
 * Errors that end when somebody does something about them: the receiver has not fetched our new key
 * yet, or its authorization header has been changed. Losing events over them would be a pity.
 */
const passing: readonly string[] = ['invalid_key', 'authentication_failed', 'access_denied']

/**
 * What a receiver said. `refused`: it will never take this event. `failed`: not now. The text is for
 * people; nothing that the receiver has sent is in it but a status and a code.
 */
export type Answer = { taken: true } | { refused: string } | { failed: string }

export interface PusherOptions {
  /** From the connection to the last byte of the answer. */
  timeoutMs: number
  /** Requests to one receiver at the same time. */
  concurrency: number
}

/** Pushes events (RFC 8935), over kept-alive HTTP. Redirects are not followed. */
export class Pusher {
  readonly #timeoutMs: number
  readonly #agent: Agent

  constructor({ timeoutMs, concurrency }: PusherOptions) {
    this.#timeoutMs = timeoutMs
    this.#agent = new Agent({
      connections: concurrency,
      pipelining: 1,
      connect: { timeout: timeoutMs, lookup },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 30_000,
      maxResponseSize: maxAnswerBytes,
    })
  }

  /** Delivers one event; whatever goes wrong is an answer too. */
  async push(endpoint: URL, authorization: string | undefined, event: string): Promise<Answer> {
    // undici's own timeouts count from byte to byte; this one ends a trickle too.
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), this.#timeoutMs)
    try {
      const { statusCode, body } = await this.#agent.request({
        origin: endpoint.origin,
        path: endpoint.pathname + endpoint.search,
        method: 'POST',
        headers: {
          accept: 'application/json',
          'content-type': `application/${securityEventType}`,
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: event,
        signal: late.signal,
      })
      const text = await body.text()
      // 202 and nothing else (RFC 8935 §2.2): a page that answers 200 to anything is no receiver.
      if (statusCode === 202) {
        return { taken: true }
      }
      const err = statusCode === 400 ? errOf(text) : undefined
      if (err === undefined) {
        return { failed: `answered ${statusCode}, not 202` }
      }
      return passing.includes(err) ? { failed: `answered ${err}` } : { refused: `answered ${err}` }
    } catch (error) {
      if (late.signal.aborted) {
        return { failed: `no answer in ${this.#timeoutMs} ms` }
      }
      return { failed: `not reached: ${codeOf(error)}` }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends every request under way and every connection. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

function errOf(text: string): ErrorAnswer['err'] | undefined {
  try {
    const answer: unknown = JSON.parse(text)
    return Value.Check(ErrorAnswer, answer) ? answer.err : undefined
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
