import { TokenResponse } from '@portcullis/contracts/tokens'
import { Value } from '@sinclair/typebox/value'
import type { AuthHttp } from './auth-http.js'
import { BackendError } from './errors.js'

/** The backend's identity at auth, and its registration code. */
export interface Credentials {
  identity: string
  registrationCode: string
}

interface Current {
  token: string
  /** On the monotonic clock, in milliseconds. */
  renewAt: number
}

/**
 * The backend's own access token (RFC 6749 §4.4). A token that it issues never outlives it, so it is
 * replaced at half of its lifetime: users' tokens live for half of it at least.
 */
export class OwnToken {
  readonly #http: AuthHttp
  readonly #authorization: string
  #current: Current | undefined
  #fetching: Promise<string> | undefined

  constructor(http: AuthHttp, { identity, registrationCode }: Credentials) {
    this.#http = http
    // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    const pair = [identity, registrationCode].map(encodeURIComponent).join(':')
    this.#authorization = `Basic ${btoa(pair)}`
  }

  /**
   * Returns a token. Concurrent calls share one request.
   *
   * `otherThan`: a token that auth has refused; never returned.
   *
   * @throws BackendError
   */
  async get(otherThan?: string): Promise<string> {
    const current = this.#current
    if (
      current !== undefined &&
      current.token !== otherThan &&
      performance.now() < current.renewAt
    ) {
      return current.token
    }
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetch(): Promise<string> {
    // The lifetime counts from before the request, because auth issued the token later.
    const requestedAt = performance.now()
    const answer = await this.#http.send({
      method: 'POST',
      path: '/oauth/token',
      authorization: this.#authorization,
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    })
    if (!Value.Check(TokenResponse, answer)) {
      throw new BackendError('bad_answer', 'the response to /oauth/token is not a token response')
    }
    const { access_token: token, expires_in: lifetimeSeconds } = answer
    this.#current = { token, renewAt: requestedAt + lifetimeSeconds * 500 }
    return token
  }
}
