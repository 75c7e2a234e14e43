import type { Identity } from '@portcullis/contracts/identities'
import { covers } from '@portcullis/contracts/scopes'
import { words } from './record.js'

/**
 * Returns a ceiling as the registry stores it: scopes separated by spaces; empty for no ceiling.
 */
export function ceilingText(ceiling: readonly string[] | undefined): string {
  return ceiling === undefined || ceiling.includes('admin') ? '' : ceiling.join(' ')
}

/**
 * Returns the identity with only those scopes that the ceiling of the presented code, key or
 * registration access token covers. The caller who created that proof may know it, and must not
 * gain scopes that the identity is given later.
 */
export function underCeiling(identity: Identity, ceiling: string | undefined): Identity {
  const maxScopes = words(ceiling)
  if (maxScopes.length === 0) {
    return identity
  }
  return { ...identity, scopes: identity.scopes.filter((scope) => covers(maxScopes, scope)) }
}
