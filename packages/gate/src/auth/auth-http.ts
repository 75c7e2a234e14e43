import type { SecureContextOptions } from 'node:tls'
import { Pool } from 'undici'

export interface Answer {
  status: number
  /** Parsed JSON, unchecked; undefined when the body is none. */
  body: unknown
}

/** How many requests to auth are on their way at once; each has its own kept-alive connection. */
export const authConnections = 4

/** More than the largest true answer: 256 tokens with every field at its limit. */
const maxAnswerBytes = 8 * 1024 * 1024

/** Kept-alive HTTP to auth; redirects are not followed, so tokens go nowhere else. */
export class AuthHttp {
  readonly #pool: Pool
  readonly #path: string
  readonly #timeoutMs: number

  constructor(authUrl: URL, timeoutMs: number, tls?: SecureContextOptions) {
    this.#pool = new Pool(authUrl.origin, {
      connections: authConnections,
      pipelining: 1,
      connect: { timeout: timeoutMs, ...tls },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      keepAliveTimeout: 30_000,
      maxResponseSize: maxAnswerBytes,
    })
    this.#path = authUrl.pathname.replace(/\/+$/, '')
    this.#timeoutMs = timeoutMs
  }

  /**
   * One POST, settled after `timeoutMs` at the latest; default: the one of the constructor.
   * @throws the connection's or the timeout's error
   */
  async post(
    path: string,
    headers: Record<string, string>,
    body: string,
    timeoutMs = this.#timeoutMs,
  ): Promise<Answer> {
    // undici's own timeouts count from byte to byte; this one ends a trickle too.
    const deadline = new AbortController()
    const timer = setTimeout(
      () => deadline.abort(new Error(`no answer in ${timeoutMs} ms`)),
      timeoutMs,
    )
    try {
      const response = await this.#pool.request({
        method: 'POST',
        path: this.#path + path,
        headers: { accept: 'application/json', ...headers },
        body,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        signal: deadline.signal,
      })
      return { status: response.statusCode, body: parsed(await response.body.text()) }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends every request under way and every connection. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
