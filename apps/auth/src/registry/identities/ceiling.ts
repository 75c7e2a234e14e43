import type { Identity } from '@portcullis/contracts/identities'
import { covers } from '@portcullis/contracts/scopes'
import { words } from './record.js'

/** Returns a ceiling as the registry keeps it: scopes, separated by spaces; empty for no ceiling. */
export function ceilingText(ceiling: readonly string[] | undefined): string {
  return ceiling === undefined || ceiling.includes('admin') ? '' : ceiling.join(' ')
}

/**
 * Returns the identity with the scopes that lie under the ceiling of the code, key or registration access
 * token that was shown. Whoever made that may know it, and must not gain what the identity is given
 * later by somebody with more scopes.
 */
export function underCeiling(identity: Identity, ceiling: string | undefined): Identity {
  const most = words(ceiling)
  if (most.length === 0) {
    return identity
  }
  return { ...identity, scopes: identity.scopes.filter((scope) => covers(most, scope)) }
}
