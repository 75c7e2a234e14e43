import type { SecureContextOptions } from 'node:tls'
import { type Dispatcher, Pool } from 'undici'

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
      // `post` has a timeout of its own. These restart at each byte, so a trickle would pass them.
      headersTimeout: 0,
      bodyTimeout: 0,
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
  post(
    path: string,
    headers: Record<string, string>,
    body: string,
    timeoutMs = this.#timeoutMs,
  ): Promise<AuthResponse> {
    return new Promise((resolve, reject) => {
      this.#pool.dispatch(
        {
          method: 'POST',
          path: this.#path + path,
          headers: { accept: 'application/json', ...headers },
          body,
        },
        new Answer(resolve, reject, timeoutMs),
      )
    })
  }

  /** Aborts every request and closes every connection. */
  async close(): Promise<void> {
    await this.#pool.destroy()
  }
}

/** Receives one answer. Much cheaper than undici's `request`, which makes a stream of each answer. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: AuthResponse) => void
  readonly #reject: (error: Error) => void
  readonly #timer: NodeJS.Timeout
  readonly #chunks: Buffer[] = []
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  /** Set when the time was over. */
  #late: Error | undefined

  constructor(
    resolve: (answer: AuthResponse) => void,
    reject: (error: Error) => void,
    timeoutMs: number,
  ) {
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = setTimeout(() => this.#timedOut(timeoutMs), timeoutMs)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#late !== undefined) {
      controller.abort(this.#late)
    }
    this.#controller = controller
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
    this.#resolve({ status: this.#status, body: parseJson(textOf(this.#chunks)) })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#timer)
    this.#reject(error)
  }

  #timedOut(timeoutMs: number): void {
    this.#late = new Error(`no answer in ${timeoutMs} ms`)
    // The request may still wait for a connection.
    this.#reject(this.#late)
    this.#controller?.abort(this.#late)
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const [first] = chunks
  return (first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks)).toString()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
