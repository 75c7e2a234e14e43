import type { Permit } from '../hub/permit.js'

/** What an admitted token says, as the gate gives it. */
export interface Grant {
  readonly jti: string
  readonly identity: string
  readonly subject: string
  readonly scopes: readonly string[]
  readonly labels: readonly string[]
  readonly parents: readonly string[]
  /** Microseconds on the registry's clock. */
  readonly issuedUs: number
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/** Asks auth about a further token, and watches the tokens that connections stand on. */
export interface Tokens {
  /** `inactive`: expired, revoked or never a token of ours. `unavailable`: auth cannot be asked now. */
  introspect(token: string): Promise<Grant | 'inactive' | 'unavailable'>
  /** Calls back, synchronously with its end, when the grant ends; at once if it has. Gives the release. */
  hold(grant: Grant, onEnd: (reason: 'revoked' | 'expired') => void): () => void
  /** Returns the permit to write on behalf of a grant; each write checks the grant and the lease. */
  permit(grant: Grant): Permit
}
