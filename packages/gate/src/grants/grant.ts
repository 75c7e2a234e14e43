import type { Active } from '@portcullis/contracts/introspection'
import type { SelectableToken } from '@portcullis/contracts/revocations'
import { sharedScopes } from './shared-scopes.js'

/** Why a grant ended. */
export type EndReason = 'revoked' | 'expired'

/** An active token, as auth describes it. Ends when the token is revoked or expires. */
export interface Grant {
  /** The token's id. */
  readonly jti: string
  /** The identity that the token was issued to (`client_id`). */
  readonly identity: string
  /** The user or device that the token represents (`sub`). */
  readonly subject: string
  readonly scopes: readonly string[]
  readonly labels: readonly string[]
  /** The token that issued it, the token that issued that one, and so on. */
  readonly parents: readonly string[]
  /** When it was issued, in microseconds on the registry's clock. */
  readonly issuedUs: number
  /** When it expires, in Unix milliseconds of this process's clock, which may differ from auth's. */
  readonly expiresAt: number
  /** Set once the token is revoked or has expired; nothing may use it any more. */
  readonly ended?: EndReason
}

/** What auth says about an active token. */
export type TokenClaims = Omit<Grant, 'ended'>

const none: readonly string[] = []

/** Returns the claims in an answer of auth. `expiresAt`: in milliseconds of this process's clock. */
export function claimsOf(active: Active, expiresAt: number): TokenClaims {
  return {
    jti: active.jti,
    identity: active.client_id,
    subject: active.sub,
    scopes: sharedScopes(active.scope),
    labels: active.labels.length === 0 ? none : active.labels,
    parents: active.parents.length === 0 ? none : active.parents,
    issuedUs: active.issued_us,
    expiresAt,
  }
}

/** Called once, synchronously, when the grant ends; closes the connection that uses the grant. */
export type Holder = (reason: EndReason) => void

/** A holder of a grant: a connection or a request that uses it. */
export interface GrantHolder {
  readonly ended: Holder
  /** Returns true if receipts and inquiries count it as a connection. */
  isConnection(): boolean
}

/** A grant with its token and its holders, as the watch keeps it. */
export class LiveGrant implements Grant, SelectableToken {
  readonly jti: string
  readonly identity: string
  readonly subject: string
  readonly scopes: readonly string[]
  readonly labels: readonly string[]
  readonly parents: readonly string[]
  readonly issuedUs: number
  readonly expiresAt: number
  ended?: EndReason
  // Private, so that no log line and no JSON shows the token.
  readonly #token: string
  readonly #since = Date.now()
  #holders: GrantHolder | Set<GrantHolder> | undefined

  constructor(claims: TokenClaims, token: string) {
    this.jti = claims.jti
    this.identity = claims.identity
    this.subject = claims.subject
    this.scopes = claims.scopes
    this.labels = claims.labels
    this.parents = claims.parents
    this.issuedUs = claims.issuedUs
    this.expiresAt = claims.expiresAt
    this.#token = token
  }

  /** The token's text, for another introspection when the feed has skipped events. */
  get token(): string {
    return this.#token
  }

  /** When the token was admitted, in Unix milliseconds. */
  get since(): number {
    return this.#since
  }

  /** True if the grant has a holder. */
  get inUse(): boolean {
    return this.#holders !== undefined
  }

  /** How many connections use the token. */
  get connections(): number {
    return this.#all().filter((holder) => holder.isConnection()).length
  }

  /** Adds a holder. Most grants have one holder, which is kept without a set. */
  add(holder: GrantHolder): void {
    if (this.#holders === undefined) {
      this.#holders = holder
    } else if (this.#holders instanceof Set) {
      this.#holders.add(holder)
    } else {
      this.#holders = new Set([this.#holders, holder])
    }
  }

  remove(holder: GrantHolder): void {
    if (this.#holders === holder) {
      this.#holders = undefined
    } else if (this.#holders instanceof Set) {
      this.#holders.delete(holder)
      // At an admission the gate holds the grant before the route does; one holder needs no set.
      if (this.#holders.size <= 1) {
        this.#holders = [...this.#holders][0]
      }
    }
  }

  /** Removes and returns the holders. */
  takeHolders(): readonly GrantHolder[] {
    const holders = this.#all()
    this.#holders = undefined
    return holders
  }

  #all(): readonly GrantHolder[] {
    if (this.#holders === undefined) {
      return []
    }
    return this.#holders instanceof Set ? [...this.#holders] : [this.#holders]
  }
}
