import { TokenError } from './errors.js'
import { requestToken, type TokenRequestOptions } from './request-token.js'

/** Provides the tokens of connections. */
export interface TokenSource {
  /**
   * Returns a valid token: the current one, or a new one if the current one is about to expire.
   * Concurrent calls share one request.
   *
   * `otherThan`: a token that was refused, or that a connection must replace; never returned.
   *
   * @throws TokenError. After a terminal error every later call throws it again, without a request.
   */
  get(options?: { otherThan?: string | undefined }): Promise<string>
  /** The terminal error that stopped this source. */
  readonly ended?: TokenError | undefined
}

export type TokenSourceOptions = TokenRequestOptions

/** A token is replaced this long before it expires, or in the last fifth of a shorter lifetime. */
const renewalMarginMs = 30_000

/**
 * Returns a source that fetches tokens by POST and keeps the current one.
 *
 * - A service passes its `credentials`; `url` is auth's `/oauth/token`.
 * - A browser or an app passes the `url` of its own backend, which responds with
 *   `{access_token, expires_in}` (seconds) for the signed-in user.
 *
 * Each call reads the clock, so a token that expired while the machine slept is not used.
 */
export function tokenSource(options: TokenSourceOptions): TokenSource {
  return new FetchedTokens(() => requestToken(options))
}

/** Returns a source of one token. */
export function fixedToken(token: string): TokenSource {
  let ended: TokenError | undefined
  return {
    async get({ otherThan } = {}) {
      if (otherThan === token) {
        ended = new TokenError(
          'refused',
          'the token was refused or has expired, and this source has no other token',
        )
      }
      if (ended !== undefined) {
        throw ended
      }
      return token
    },
    get ended() {
      return ended
    },
  }
}

interface CurrentToken {
  token: string
  /** Unix milliseconds. */
  renewAt: number
  expiresAt: number
}

class FetchedTokens implements TokenSource {
  readonly #request: () => ReturnType<typeof requestToken>
  #current: CurrentToken | undefined
  #fetching: Promise<CurrentToken> | undefined
  #ended: TokenError | undefined
  /** The last error with a `Retry-After`. */
  #retryLater: TokenError | undefined

  constructor(request: () => ReturnType<typeof requestToken>) {
    this.#request = request
  }

  get ended(): TokenError | undefined {
    return this.#ended
  }

  async get({ otherThan }: { otherThan?: string | undefined } = {}): Promise<string> {
    if (this.#ended !== undefined) {
      throw this.#ended
    }
    const current = this.#current
    const usable = current !== undefined && current.token !== otherThan
    if (usable && Date.now() < current.renewAt) {
      return current.token
    }
    try {
      const { token } = await this.#renew()
      if (token !== otherThan) {
        return token
      }
      throw new TokenError('bad_answer', 'the token endpoint returned the same token again')
    } catch (error) {
      // The current token is still valid, so a temporary error need not stop the caller.
      const temporary = error instanceof TokenError && !error.terminal
      if (temporary && usable && Date.now() < current.expiresAt) {
        return current.token
      }
      throw error
    }
  }

  #renew(): Promise<CurrentToken> {
    if (this.#retryLater?.retryAt !== undefined && Date.now() < this.#retryLater.retryAt) {
      return Promise.reject(this.#retryLater)
    }
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetch(): Promise<CurrentToken> {
    // The lifetime counts from before the request, because the token was issued later.
    const requestedAt = Date.now()
    try {
      const { token, expiresInSeconds } = await this.#request()
      const lifetimeMs = expiresInSeconds * 1000
      const expiresAt = requestedAt + lifetimeMs
      const renewAt = expiresAt - Math.min(renewalMarginMs, lifetimeMs / 5)
      this.#retryLater = undefined
      this.#current = { token, renewAt, expiresAt }
      return this.#current
    } catch (error) {
      if (error instanceof TokenError) {
        if (error.terminal) {
          this.#ended = error
        } else if (error.retryAt !== undefined) {
          this.#retryLater = error
        }
      }
      throw error
    }
  }
}
