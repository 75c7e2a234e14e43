import { OAuthErrorResponse } from '@portcullis/contracts/oauth'
import { TokenResponse } from '@portcullis/contracts/tokens'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyBaseLogger } from 'fastify'
import { GateError } from '../errors.js'
import { maxTimerMs } from '../max-timer.js'
import type { AuthHttp, AuthResponse } from './auth-http.js'
import { Backoff, spread } from './backoff.js'

const tokenAnswer = TypeCompiler.Compile(TokenResponse)
const errorAnswer = TypeCompiler.Compile(OAuthErrorResponse)

/** Between tries after an answer that only an operator can change, in milliseconds. */
const terminalRetryMs = 30_000

/** Auth may query Redis several times for a token, and each query may take two seconds. */
const tokenTimeoutMs = 10_000

interface OwnToken {
  token: string
  /** On this process's monotonic clock, in milliseconds. */
  expiresAt: number
}

/** Keeps the gate's own access token: renews it before it expires, and replaces it when auth refuses it. */
export class Credentials {
  readonly #http: AuthHttp
  readonly #authorization: string
  readonly #log: FastifyBaseLogger
  readonly #backoff = new Backoff(200, 5000)
  #own: OwnToken | undefined
  #fetching: Promise<string> | undefined
  #timer: NodeJS.Timeout | undefined
  #problem: string | undefined = 'the gate does not have its own token yet'
  #closed = false

  constructor(
    http: AuthHttp,
    credentials: { identity: string; registrationCode: string },
    log: FastifyBaseLogger,
  ) {
    this.#http = http
    this.#authorization = basic(credentials.identity, credentials.registrationCode)
    this.#log = log
  }

  /** Returns why the gate does not have its own token; undefined when it has one. */
  get problem(): string | undefined {
    return this.#current() === undefined
      ? (this.#problem ?? "the gate's own token has expired")
      : undefined
  }

  /**
   * Returns the token for requests to auth.
   * @throws GateError `auth_unavailable`; at once while a retry is scheduled
   */
  async token(): Promise<string> {
    const current = this.#current()
    if (current !== undefined) {
      return current
    }
    if (this.#fetching !== undefined) {
      return this.#fetching
    }
    if (this.#timer !== undefined && this.#problem !== undefined) {
      throw unavailable(this.#problem)
    }
    return this.#fetch()
  }

  /** Returns a token other than `refused`, to which auth has just answered 401. */
  async renew(refused: string): Promise<string> {
    if (this.#own?.token === refused) {
      this.#own = undefined
    }
    const current = this.#current()
    if (current !== undefined) {
      return current
    }
    return this.#fetching ?? this.#fetch()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #current(): string | undefined {
    const own = this.#own
    return own !== undefined && own.expiresAt > performance.now() ? own.token : undefined
  }

  #fetch(): Promise<string> {
    if (this.#closed) {
      return Promise.reject(unavailable('the gate is closed'))
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    const fetching = this.#request().finally(() => {
      this.#fetching = undefined
    })
    this.#fetching = fetching
    return fetching
  }

  async #request(): Promise<string> {
    // The lifetime counts from before the request, so that it never ends later than at auth.
    const requestedAt = performance.now()
    let answer: AuthResponse
    try {
      answer = await this.#http.post(
        '/oauth/token',
        {
          authorization: this.#authorization,
          'content-type': 'application/x-www-form-urlencoded',
        },
        'grant_type=client_credentials&scope=introspect+feed',
        tokenTimeoutMs,
      )
    } catch (cause) {
      throw this.#failed('auth cannot be reached', this.#backoff.next(), cause)
    }
    if (answer.status === 200 && tokenAnswer.Check(answer.body)) {
      return this.#accept(answer.body, requestedAt)
    }
    if (answer.status < 500 && answer.status !== 429 && errorAnswer.Check(answer.body)) {
      const { error, error_description: why } = answer.body
      const text = `auth refuses this app's identity: ${error}${why === undefined ? '' : ` (${why.slice(0, 200)})`}`
      throw this.#failed(text, spread(terminalRetryMs))
    }
    throw this.#failed(`auth answers ${answer.status} to /oauth/token`, this.#backoff.next())
  }

  #accept(answer: TokenResponse, requestedAt: number): string {
    const scopes = answer.scope.split(' ')
    const missing = ['introspect', 'feed'].filter((scope) => !scopes.includes(scope))
    if (missing.length > 0) {
      const text = `this app's identity lacks the scope ${missing.join(' and ')}`
      throw this.#failed(text, spread(terminalRetryMs))
    }
    const lifetimeMs = answer.expires_in * 1000
    this.#own = { token: answer.access_token, expiresAt: requestedAt + lifetimeMs }
    if (this.#problem !== undefined) {
      this.#log.info('gate: the gate has its own token')
    }
    this.#problem = undefined
    this.#backoff.reset()
    // The last quarter of the lifetime leaves time for several tries.
    this.#schedule(Math.max(lifetimeMs * (0.65 + Math.random() / 10), 100))
    return answer.access_token
  }

  #failed(problem: string, retryMs: number, cause?: unknown): GateError {
    if (problem !== this.#problem) {
      this.#log.error({ err: cause }, `gate: ${problem}; trying again`)
    }
    this.#problem = problem
    this.#schedule(retryMs)
    return unavailable(problem)
  }

  #schedule(ms: number): void {
    if (this.#closed) {
      return
    }
    this.#timer = setTimeout(
      () => {
        this.#fetch().catch(() => undefined)
      },
      Math.min(ms, maxTimerMs),
    )
    this.#timer.unref()
  }
}

function unavailable(why: string): GateError {
  return new GateError('auth_unavailable', why)
}

/** Returns HTTP Basic credentials. Each part is form-encoded first (RFC 6749 §2.3.1). */
function basic(identity: string, code: string): string {
  const encoded = `${formEncoded(identity)}:${formEncoded(code)}`
  return `Basic ${Buffer.from(encoded).toString('base64')}`
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
