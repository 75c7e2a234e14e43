import type { KeySet } from '../keys/index.js'
import { type DecodedToken, decode, type Issuer } from './decode.js'

/**
 * Decodes tokens, and remembers those of the last texts: most tokens are introspected many times. What a text
 * says never changes, and the registry is asked each time if the token is active.
 */
export class DecodedTokens {
  readonly #issuer: Issuer
  readonly #keys: Pick<KeySet, 'find'>
  readonly #maxRemembered: number
  /** By the text, the oldest first. */
  readonly #known = new Map<string, DecodedToken>()

  constructor(issuer: Issuer, keys: Pick<KeySet, 'find'>, maxRemembered = 1000) {
    this.#issuer = issuer
    this.#keys = keys
    this.#maxRemembered = maxRemembered
  }

  get size(): number {
    return this.#known.size
  }

  /** See `decode`. Returns undefined for a token whose key was removed, also if it was known. */
  decode(text: string): DecodedToken | undefined {
    const known = this.#known.get(text)
    if (known === undefined) {
      const token = decode(this.#issuer, text)
      return token && this.#remember(token)
    }
    if (this.#keys.find(known.key.kid) === known.key) {
      return known
    }
    this.#known.delete(text)
    return decode(this.#issuer, text)
  }

  #remember(token: DecodedToken): DecodedToken {
    // A copy: a part of a body would keep the whole body in memory.
    const text = Buffer.from(token.text).toString()
    if (text !== token.text) {
      return token
    }
    if (this.#known.size >= this.#maxRemembered) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    const remembered = { ...token, text }
    this.#known.set(text, remembered)
    return remembered
  }
}
