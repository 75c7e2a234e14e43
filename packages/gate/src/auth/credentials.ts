import { OAuthErrorResponse } from '@portcullis/contracts/oauth'
import { TokenResponse } from '@portcullis/contracts/tokens'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyBaseLogger } from 'fastify'
import { GateError } from '../errors.js'
import type { Answer, AuthHttp } from './auth-http.js'
import { Backoff } from './backoff.js'

const tokenAnswer = TypeCompiler.Compile(TokenResponse)
const errorAnswer = TypeCompiler.Compile(OAuthErrorResponse)

/** After an answer that trying again will not change by itself, in milliseconds. */
const terminalRetryMs = 30_000

/** Auth may ask Redis several times for a token, and each answer may take two seconds. */
const tokenTimeoutMs = 10_000

interface Held {
  token: string
  /** On this process's monotonic clock, in milliseconds. */
  expiresAt: number
}

/** The gate's own access token: fetched, renewed before it expires, fetched anew when refused. */
export class Credentials {
  readonly #http: AuthHttp
  readonly #authorization: string
  readonly #log: FastifyBaseLogger
  readonly #backoff = new Backoff(200, 5000)
  #held: Held | undefined
  #fetching: Promise<string> | undefined
  #timer: NodeJS.Timeout | undefined
  #problem: string | undefined = 'no token of its own yet'
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

  /** Why the gate has no token of its own; undefined when it has. */
  get problem(): string | undefined {
    return this.#current() === undefined
      ? (this.#problem ?? 'its own token has expired')
      : undefined
  }

  /**
   * The token to show auth.
   * @throws GateError `auth_unavailable`, at once while the next try is still to come
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

  /** A token other than `refused`, which auth has just answered with 401. */
  async renew(refused: string): Promise<string> {
    if (this.#held?.token === refused) {
      this.#held = undefined
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
    const held = this.#held
    return held !== undefined && held.expiresAt > performance.now() ? held.token : undefined
  }

  #fetch(): Promise<string> {
    if (this.#closed) {
      return Promise.reject(unavailable('the gate is closed'))
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    const fetching = this.#ask().finally(() => {
      this.#fetching = undefined
    })
    this.#fetching = fetching
    return fetching
  }

  async #ask(): Promise<string> {
    // The lifetime counts from before the request, so that ours never outlasts auth's.
    const asked = performance.now()
    let answer: Answer
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
      return this.#take(answer.body, asked)
    }
    if (answer.status < 500 && answer.status !== 429 && errorAnswer.Check(answer.body)) {
      const { error, error_description: why } = answer.body
      const text = `auth refuses this app's identity: ${error}${why === undefined ? '' : ` (${why.slice(0, 200)})`}`
      throw this.#failed(text, terminalRetryMs * (0.75 + Math.random() / 2))
    }
    throw this.#failed(`auth answers ${answer.status} to /oauth/token`, this.#backoff.next())
  }

  #take(answer: TokenResponse, asked: number): string {
    const scopes = answer.scope.split(' ')
    const missing = ['introspect', 'feed'].filter((scope) => !scopes.includes(scope))
    if (missing.length > 0) {
      const text = `this app's identity lacks the scope ${missing.join(' and ')}`
      throw this.#failed(text, terminalRetryMs * (0.75 + Math.random() / 2))
    }
    const lifeMs = answer.expires_in * 1000
    this.#held = { token: answer.access_token, expiresAt: asked + lifeMs }
    if (this.#problem !== undefined) {
      this.#log.info('gate: has a token of its own')
    }
    this.#problem = undefined
    this.#backoff.reset()
    // The last quarter of its life leaves time for several tries.
    this.#later(Math.max(lifeMs * (0.65 + Math.random() / 10), 100))
    return answer.access_token
  }

  #failed(problem: string, retryMs: number, cause?: unknown): GateError {
    if (problem !== this.#problem) {
      this.#log.error({ err: cause }, `gate: ${problem}; trying again`)
    }
    this.#problem = problem
    this.#later(retryMs)
    return unavailable(problem)
  }

  #later(ms: number): void {
    if (this.#closed) {
      return
    }
    // setTimeout takes 31 bits; a token of more than 24 days is renewed sooner.
    this.#timer = setTimeout(
      () => {
        this.#fetch().catch(() => undefined)
      },
      Math.min(ms, 2_000_000_000),
    )
    this.#timer.unref()
  }
}

function unavailable(why: string): GateError {
  return new GateError('auth_unavailable', why)
}

/** RFC 6749 §2.3.1: each part is form-encoded before the two are joined. */
function basic(identity: string, code: string): string {
  const encoded = `${formEncoded(identity)}:${formEncoded(code)}`
  return `Basic ${Buffer.from(encoded).toString('base64')}`
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
