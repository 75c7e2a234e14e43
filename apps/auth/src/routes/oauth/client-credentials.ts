import type { Identity } from '@portcullis/contracts/identities'
import { covers, parseScope, scopesToGive } from '@portcullis/contracts/scopes'
import { clientAddressOf } from '@portcullis/service'
import { AuthError } from '../../errors.js'
import { issue } from '../../tokens/issue.js'
import type { GrantHandler } from './grant.js'
import { lifetimeOf } from './lifetime.js'

/** Issues a token to the client itself (RFC 6749 §4.4). */
export const clientCredentials: GrantHandler = async (app, request, identity) => {
  const answer = await issue(app.registry, app.tokens, {
    identity: identity.identity,
    subject: identity.identity,
    scopes: requestedScopes(identity, request.body.scope),
    ttlSeconds: lifetimeOf(app, identity, request.body),
    labels: [],
    from: clientAddressOf(request),
  })
  app.meters.tokensIssued.client_credentials += 1
  return answer
}

/**
 * Returns the requested scopes, all of which the identity must have; by default all of its scopes.
 */
function requestedScopes(
  { identity, scopes }: Identity,
  asked: string | undefined,
): readonly string[] {
  if (asked === undefined) {
    return scopes
  }
  const wanted = parseScope(asked)
  if (wanted === undefined) {
    throw new AuthError('invalid_scope', 'scope must be known scopes, separated by single spaces')
  }
  // The token can issue tokens for any subject, so `covers` must hold for every subject.
  const held = scopesToGive({ identity, subject: identity, scopes }, identity)
  const beyond = wanted.find((scope) => !covers(held, scope))
  if (beyond !== undefined) {
    throw new AuthError(
      'invalid_scope',
      `the identity does not have the scope ${beyond}, or the creator of its registration code or key did not have it; ask an administrator for the scope or a new code`,
    )
  }
  return wanted
}
