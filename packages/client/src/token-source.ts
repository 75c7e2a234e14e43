import { TokenError } from './errors.js'
import { requestToken, type TokenRequestOptions } from './request-token.js'

/** Where connections get their tokens from. */
export interface TokenSource {
  /**
   * A token that is valid now: the one at hand, or a new one when that is about to end. Calls that
   * come together share one request.
   *
   * `otherThan`: a token that was refused, or that a connection wants to replace; never given back.
   *
   * @throws TokenError. After one that is `terminal` every later call throws it too, without asking.
   */
  get(options?: { otherThan?: string | undefined }): Promise<string>
  /** The terminal answer that this source stopped at. */
  readonly ended?: TokenError | undefined
}

export type TokenSourceOptions = TokenRequestOptions

/** A token is replaced this long before it ends, or in the last fifth of a short life. */
const renewalMarginMs = 30_000

/**
 * Fetches tokens by POST and keeps the current one.
 *
 * - A service gives its `credentials`; `url` is auth's `/oauth/token`.
 * - A browser or an app gives the `url` of its own backend, which answers
 *   `{access_token, expires_in}` (seconds) for the signed-in user.
 *
 * The clock is looked at on each call, so a token that ended while the machine slept is not used.
 */
export function tokenSource(options: TokenSourceOptions): TokenSource {
  return new FetchedTokens(() => requestToken(options))
}

/** One token that was given; there is no other. */
export function fixedToken(token: string): TokenSource {
  let ended: TokenError | undefined
  return {
    async get({ otherThan } = {}) {
      if (otherThan === token) {
        ended = new TokenError(
          'refused',
          'it was refused or has ended, and there is no other token',
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
  #pending: Promise<CurrentToken> | undefined
  #ended: TokenError | undefined
  /** The last answer that said when to come back. */
  #later: TokenError | undefined

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
      const { token } = await this.#renewed()
      if (token !== otherThan) {
        return token
      }
      throw new TokenError('bad_answer', 'the token endpoint gave the same token again')
    } catch (error) {
      // Renewal has failed for now, and the token has some life left.
      const temporary = error instanceof TokenError && !error.terminal
      if (temporary && usable && Date.now() < current.expiresAt) {
        return current.token
      }
      throw error
    }
  }

  #renewed(): Promise<CurrentToken> {
    if (this.#later?.retryAt !== undefined && Date.now() < this.#later.retryAt) {
      return Promise.reject(this.#later)
    }
    this.#pending ??= this.#fetch().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #fetch(): Promise<CurrentToken> {
    // Counted from before the request: the token cannot have been issued earlier.
    const askedAt = Date.now()
    try {
      const { token, expiresInSeconds } = await this.#request()
      const lifeMs = expiresInSeconds * 1000
      const expiresAt = askedAt + lifeMs
      const renewAt = expiresAt - Math.min(renewalMarginMs, lifeMs / 5)
      this.#later = undefined
      this.#current = { token, renewAt, expiresAt }
      return this.#current
    } catch (error) {
      if (error instanceof TokenError) {
        if (error.terminal) {
          this.#ended = error
        } else if (error.retryAt !== undefined) {
          this.#later = error
        }
      }
      throw error
    }
  }
}
