import type { Identity } from '@portcullis/contracts/identities'
import {
  channelActions,
  covers,
  parseScope,
  type ScopeHolder,
  scopesToGive,
} from '@portcullis/contracts/scopes'
import { AuthError } from '../errors.js'

/** What a token for a subject may have at most. */
export interface Ceiling {
  /** The token that asks, which may be narrower than its identity, or an identity that asks itself. */
  caller: ScopeHolder
  /** The identity as it is now; it may have become narrower than the token. */
  identity: Identity
  subject: string
}

/**
 * The scopes of a token that an identity passes on to one of its subjects: those asked for, none of
 * them beyond the ceiling; without any, the identity's channels, and never a service scope.
 *
 * @throws AuthError `invalid_scope`
 */
export function passOn(ceiling: Ceiling, asked: string | undefined): readonly string[] {
  return asked === undefined ? channelScopes(ceiling) : narrowed(ceiling, asked)
}

/**
 * Both limit what is passed on: the token that asks, and its identity. In both `{sub}` stands for the
 * new token's subject; in a user's token it is that user, and nobody else.
 */
function mayPassOn({ caller, identity, subject }: Ceiling, scope: string): boolean {
  const ceilings = [scopesToGive(caller, caller.identity), identity.scopes]
  return ceilings.every((ceiling) => covers(ceiling, scope, subject))
}

function channelScopes(ceiling: Ceiling): string[] {
  const held = new Set([...ceiling.caller.scopes, ...ceiling.identity.scopes])
  const scopes = [...held].filter(
    (scope) =>
      channelActions.some((action) => scope.startsWith(`${action}:`)) && mayPassOn(ceiling, scope),
  )
  if (scopes.length === 0) {
    throw new AuthError(
      'invalid_scope',
      'the calling identity has no channel scopes to pass on; name in "scope" what the token is for',
    )
  }
  return scopes
}

function narrowed(ceiling: Ceiling, asked: string): readonly string[] {
  const wanted = parseScope(asked)
  if (wanted === undefined || wanted.length === 0) {
    throw new AuthError('invalid_scope', 'scope must be known scopes, separated by single spaces')
  }
  const beyond = wanted.find((scope) => !mayPassOn(ceiling, scope))
  if (beyond !== undefined) {
    throw new AuthError('invalid_scope', `the scope ${beyond} is beyond those of the caller`)
  }
  return wanted
}
