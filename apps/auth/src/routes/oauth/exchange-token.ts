import type { Identity } from '@portcullis/contracts/identities'
import { Subject } from '@portcullis/contracts/names'
import { type TokenRequest, tokenTypes } from '@portcullis/contracts/oauth'
import { permits } from '@portcullis/contracts/scopes'
import { clientAddressOf } from '@portcullis/service'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyInstance } from 'fastify'
import { acceptClientJwt, maxAheadSeconds } from '../../callers/client-jwt.js'
import { AuthError } from '../../errors.js'
import { delegateScopes } from '../../tokens/delegate-scopes.js'
import { issue } from '../../tokens/issue.js'
import type { GrantHandler } from './grant.js'
import { lifetimeOf } from './lifetime.js'

const subjectCheck = TypeCompiler.Compile(Subject)

/**
 * Issues a token for one of the client's users (RFC 8693), whom the client names in a JWT that it
 * signed. The scopes have the same upper bound as at `POST /v1/tokens`.
 *
 * The issued token has no parent, because the client authenticated with its own credentials. Access
 * tokens are not accepted as subject tokens: a token issued for another token must end with it, and
 * `POST /v1/tokens` issues those.
 */
export const exchangeToken: GrantHandler = async (app, request, identity) => {
  requirePower(identity)
  requireSupported(request.body, app.tokens.audience)
  const name = await subjectOf(app, identity, request.body)
  request.audit.target.subject = name
  const answer = await issue(app.registry, app.tokens, {
    identity: identity.identity,
    subject: name,
    scopes: delegateScopes(
      { caller: { ...identity, subject: identity.identity }, identity, subject: name },
      request.body.scope,
    ),
    ttlSeconds: lifetimeOf(app, identity, request.body),
    labels: [],
    from: clientAddressOf(request),
  })
  app.meters.tokensIssued.token_exchange += 1
  return { ...answer, issued_token_type: tokenTypes.accessToken }
}

function requirePower({ scopes }: Identity): void {
  if (permits(scopes, 'tokens:issue')) {
    return
  }
  throw new AuthError('unauthorized_client', 'the client needs the scope tokens:issue')
}

/**
 * Refuses parameters that auth does not support: ignoring them would issue another token than
 * requested.
 */
function requireSupported(form: TokenRequest, ownAudience: string): void {
  const { requested_token_type: requested, audience = [], resource = [] } = form
  if (form.actor_token !== undefined || form.actor_token_type !== undefined) {
    throw new AuthError(
      'invalid_request',
      'actor_token is not supported; the client_id of a token names the client that requested it',
    )
  }
  if (requested !== undefined && requested !== tokenTypes.accessToken) {
    throw new AuthError('invalid_request', `requested_token_type must be ${tokenTypes.accessToken}`)
  }
  if ([audience, resource].flat().some((target) => target !== ownAudience)) {
    throw new AuthError(
      'invalid_target',
      `audience and resource must be ${ownAudience}; leave them out, or send that`,
    )
  }
}

/** Returns the subject of the subject token. Every fault is `invalid_request` (RFC 8693 §2.2.2). */
async function subjectOf(
  app: FastifyInstance,
  identity: Identity,
  { subject_token: text, subject_token_type: type }: TokenRequest,
): Promise<string> {
  if (text === undefined || type === undefined) {
    throw new AuthError('invalid_request', 'send subject_token and subject_token_type')
  }
  if (type !== tokenTypes.jwt) {
    throw new AuthError(
      'invalid_request',
      `subject_token_type must be ${tokenTypes.jwt}, a JWT signed by the client`,
    )
  }
  const { issuer } = app.tokens
  const outcome = await acceptClientJwt(app.registry, identity, { text, issuer, types: ['jwt'] })
  const fault = 'subject' in outcome ? faultOfSubject(outcome.subject, identity) : outcome.fault
  if (!('subject' in outcome) || fault !== undefined) {
    throw new AuthError(
      'invalid_request',
      fault !== undefined
        ? `the subject token is not valid: ${fault}`
        : `the subject token is not valid: it must be a JWT signed with a key of the client's jwks, with iss the client_id, sub the user, aud only ${issuer}, exp at most ${maxAheadSeconds} seconds ahead, and a new jti`,
    )
  }
  return outcome.subject
}

function faultOfSubject(subject: string, { identity }: Identity): string | undefined {
  // A JWT with the client's own name as its subject is a client assertion, not a user's.
  if (subject === identity) {
    return 'its sub must be a user, not the client'
  }
  return subjectCheck.Check(subject) ? undefined : `its sub must be ${Subject.description}`
}
