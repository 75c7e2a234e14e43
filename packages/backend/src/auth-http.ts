import { defined } from '@portcullis/contracts/defined'
import { BackendError, type BackendErrorCode } from './errors.js'

export interface AuthHttpOptions {
  /** URL of auth, for example `https://auth.example`. */
  authUrl: string
  /** Milliseconds to wait for one response; default: 10 000. */
  timeoutMs?: number
  /** Instead of the global `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
}

export interface AuthRequest {
  method: 'GET' | 'POST'
  path: string
  authorization: string
  body?: URLSearchParams | object
  /** Milliseconds that auth itself may wait before it answers. */
  waitMs?: number
}

/** Sends requests to auth, and turns every failure into a `BackendError`. */
export class AuthHttp {
  readonly #base: string
  readonly #timeoutMs: number
  readonly #fetch: NonNullable<AuthHttpOptions['fetch']>

  /** @throws TypeError when `authUrl` cannot be used; the message does not repeat it */
  constructor({ authUrl, timeoutMs = 10_000, fetch }: AuthHttpOptions) {
    this.#base = baseOf(authUrl)
    this.#timeoutMs = timeoutMs
    // Looked up at each request, because tests and instrumentation replace the global function.
    this.#fetch = fetch ?? ((url, init) => globalThis.fetch(url, init))
  }

  /** Returns the body of a successful response. @throws BackendError */
  async send(request: AuthRequest): Promise<unknown> {
    const timeoutMs = this.#timeoutMs + (request.waitMs ?? 0)
    const signal = AbortSignal.timeout(timeoutMs)
    let response: Response
    let text: string
    try {
      response = await this.#fetch(`${this.#base}${request.path}`, { ...initOf(request), signal })
      text = await response.text()
    } catch (cause) {
      throw signal.aborted
        ? new BackendError('timeout', `auth did not respond within ${timeoutMs} ms`, { cause })
        : new BackendError('network', `auth cannot be reached at ${this.#base}`, { cause })
    }
    const body = parse(text)
    if (!response.ok) {
      throw refusal(response, body)
    }
    return body
  }
}

function baseOf(authUrl: string): string {
  const url = URL.canParse(authUrl) ? new URL(authUrl) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('authUrl must be a URL such as https://auth.example')
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('authUrl must not contain a password; pass `credentials`')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function initOf({ method, authorization, body }: AuthRequest): RequestInit {
  const form = body instanceof URLSearchParams
  return {
    method,
    headers: defined({
      authorization,
      accept: 'application/json',
      'content-type':
        body === undefined
          ? undefined
          : form
            ? 'application/x-www-form-urlencoded'
            : 'application/json',
    }),
    ...(body === undefined ? {} : { body: form ? body.toString() : JSON.stringify(body) }),
    // A redirect would send the credentials to another server.
    redirect: 'error',
  }
}

/** Returns undefined for a text that is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads problem JSON (RFC 9457), or an error of OAuth (RFC 6749 §5.2). */
function refusal({ status, headers }: Response, body: unknown): BackendError {
  const members = new Map(Object.entries(Object(body)))
  const textOf = (...names: string[]) =>
    names.map((name) => members.get(name)).find((value) => typeof value === 'string')
  const problem = textOf('code', 'error')
  const why = textOf('detail', 'error_description') ?? problem
  const message =
    why === undefined ? `auth answered with HTTP ${status}` : `${why} (HTTP ${status})`
  const wait = Number(headers.get('retry-after') ?? Number.NaN)
  return new BackendError(
    codeOf(status, problem),
    message,
    defined({
      authStatus: status,
      problem,
      retryAfterSeconds: Number.isFinite(wait) ? wait : undefined,
    }),
  )
}

function codeOf(status: number, problem: string | undefined): BackendErrorCode {
  if (status === 429) {
    return 'rate_limited'
  }
  if (status >= 500) {
    return 'unavailable'
  }
  if (problem === undefined) {
    return 'bad_answer'
  }
  return problem === 'invalid_client' ? 'invalid_client' : 'refused'
}
