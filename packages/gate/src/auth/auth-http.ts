import type { SecureContextOptions } from 'node:tls'
import { Pool } from 'undici'

export interface AuthResponse {
  status: number
  /** Parsed JSON, unchecked; undefined when the body is not JSON. */
  body: unknown
}

/** Concurrent requests to auth, each on its own keep-alive connection. */
export const authConnections = 4

/** Larger than any valid answer: 256 tokens with every field at its limit. */
const maxAnswerBytes = 8 * 1024 * 1024

/** HTTP client for auth, with keep-alive. Follows no redirects, so tokens reach no other server. */
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
   * Sends a POST and settles after `timeoutMs` at the latest.
   * @param timeoutMs Default: the constructor's.
   * @throws the error of the connection or of the timeout
   */
  async post(
    path: string,
    headers: Record<string, string>,
    body: string,
    timeoutMs = this.#timeoutMs,
  ): Promise<AuthResponse> {
    // undici's own timeouts restart at each byte; this one also ends a trickle.
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
      return { status: response.statusCode, body: parseJson(await response.body.text()) }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Aborts every request and closes every connection. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
