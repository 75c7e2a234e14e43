import { type ChannelAction, permitsChannel } from '@portcullis/contracts/scopes'
import type { EndReason, Grant } from '@portcullis/gate'
import type { Permit } from '../hub/permit.js'

export type { EndReason, Grant }

/**
 * Why there is no grant. `expired`: a new token may be good. `invalid`: malformed, revoked or never
 * issued, so it can never be good. `unavailable`: auth cannot be asked now.
 */
export type NoGrant = 'expired' | 'invalid' | 'unavailable'

/** Asks auth about tokens, and watches the tokens that connections use. */
export interface Tokens {
  introspect(token: string): Promise<Grant | NoGrant>
  /**
   * Calls `onEnd` in the same synchronous step in which the grant ends; at once if it has ended.
   * Returns `release`, which stops the watch.
   */
  watch(grant: Grant, onEnd: (reason: EndReason) => void): () => void
  /** Returns the permit to write on behalf of a grant. Each write checks the grant and the lease. */
  permit(grant: Grant): Permit
}

/** Returns true when a token's scopes permit an action in a channel. */
export function permits(
  { scopes, subject }: Grant,
  action: ChannelAction,
  channel: string,
): boolean {
  return permitsChannel(scopes, subject, action, channel)
}
