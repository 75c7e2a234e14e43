import type { Identity } from '@portcullis/contracts/identities'
import { covers, parseScope, scopesToGive } from '@portcullis/contracts/scopes'
import { clientAddressOf } from '@portcullis/service'
import { AuthError } from '../../errors.js'
import { issue } from '../../tokens/issue.js'
import type { Grant } from './grant.js'

/** A token for the client itself (RFC 6749 §4.4). */
export const clientCredentials: Grant = async (app, request, identity) => {
  const answer = await issue(app.registry, app.tokens, {
    identity: identity.identity,
    subject: identity.identity,
    scopes: narrowed(identity, request.body.scope),
    ttlSeconds: identity.tokenTtlSeconds ?? app.defaultTtlSeconds,
    labels: [],
    from: clientAddressOf(request),
  })
  app.meters.tokensIssued.inc({ grant: 'client_credentials' })
  return answer
}

/** The scopes asked for, all of which the identity must have; without any, all of its own. */
function narrowed({ identity, scopes }: Identity, asked: string | undefined): readonly string[] {
  if (asked === undefined) {
    return scopes
  }
  const wanted = parseScope(asked)
  if (wanted === undefined) {
    throw new AuthError('invalid_scope', 'scope must be known scopes, separated by single spaces')
  }
  // Its own tokens issue for any subject: what they have has to be covered whoever that is.
  const held = scopesToGive({ identity, subject: identity, scopes }, identity)
  const beyond = wanted.find((scope) => !covers(held, scope))
  if (beyond !== undefined) {
    throw new AuthError(
      'invalid_scope',
      `the identity does not have the scope ${beyond}, or who made the registration code or key that was shown did not have it; ask who has it for a new code`,
    )
  }
  return wanted
}
