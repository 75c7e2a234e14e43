import type { Identity } from '@portcullis/contracts/identities'
import {
  channelActions,
  covers,
  parseScope,
  type ScopeHolder,
  scopesToGive,
} from '@portcullis/contracts/scopes'
import { AuthError } from '../errors.js'

/** Determines the upper bound of the scopes of a token for a subject. */
export interface Ceiling {
  /** The calling token, which may have fewer scopes than its identity, or the identity itself. */
  caller: ScopeHolder
  /** The identity's current state; it may now have fewer scopes than the calling token. */
  identity: Identity
  subject: string
}

/**
 * Returns the scopes of a token that an identity issues to one of its subjects: the requested
 * scopes, all within the ceiling; by default the identity's channel scopes, without its service
 * scopes.
 *
 * @throws AuthError `invalid_scope`
 */
export function delegateScopes(ceiling: Ceiling, requested: string | undefined): readonly string[] {
  return requested === undefined ? channelScopes(ceiling) : requestedScopes(ceiling, requested)
}

/**
 * Returns true if both the calling token and its identity cover the scope. In both, `{sub}` stands
 * for the new token's subject; if the calling token is a user's, `{sub}` is that user.
 */
function mayDelegate({ caller, identity, subject }: Ceiling, scope: string): boolean {
  const ceilings = [scopesToGive(caller, caller.identity), identity.scopes]
  return ceilings.every((ceiling) => covers(ceiling, scope, subject))
}

function channelScopes(ceiling: Ceiling): string[] {
  const held = new Set([...ceiling.caller.scopes, ...ceiling.identity.scopes])
  const scopes = [...held].filter(
    (scope) =>
      channelActions.some((action) => scope.startsWith(`${action}:`)) &&
      mayDelegate(ceiling, scope),
  )
  if (scopes.length === 0) {
    throw new AuthError(
      'invalid_scope',
      'the calling identity has no channel scopes; send the scopes of the token as "scope"',
    )
  }
  return scopes
}

function requestedScopes(ceiling: Ceiling, requested: string): readonly string[] {
  const wanted = parseScope(requested)
  if (wanted === undefined || wanted.length === 0) {
    throw new AuthError('invalid_scope', 'scope must be known scopes, separated by single spaces')
  }
  const beyond = wanted.find((scope) => !mayDelegate(ceiling, scope))
  if (beyond !== undefined) {
    throw new AuthError('invalid_scope', `the caller does not have the scope ${beyond}`)
  }
  return wanted
}
