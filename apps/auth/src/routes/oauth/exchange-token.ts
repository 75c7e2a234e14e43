import type { Identity } from '@portcullis/contracts/identities'
import { Subject } from '@portcullis/contracts/names'
import { type TokenRequest, tokenTypes } from '@portcullis/contracts/oauth'
import { permits } from '@portcullis/contracts/scopes'
import { clientAddressOf } from '@portcullis/service'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import type { FastifyInstance } from 'fastify'
import { maxAheadSeconds, takeClientJwt } from '../../callers/client-jwt.js'
import { AuthError } from '../../errors.js'
import { issue } from '../../tokens/issue.js'
import { passOn } from '../../tokens/pass-on.js'
import type { Grant } from './grant.js'

const subject = TypeCompiler.Compile(Subject)

/**
 * A token for one of the client's users (RFC 8693): the client says who it is by a JWT that it has
 * signed itself. The same ceiling as at `POST /v1/tokens`.
 *
 * Its token has no parent: the client has proven who it is by its own credentials, so no token issues
 * it. Access tokens are not taken as subject tokens: a token made from another would have to end with it,
 * which is what `POST /v1/tokens` is for.
 */
export const exchangeToken: Grant = async (app, request, identity) => {
  requirePower(identity)
  requireAnswerable(request.body, app.tokens.audience)
  const name = await subjectOf(app, identity, request.body)
  request.audit.target.subject = name
  const answer = await issue(app.registry, app.tokens, {
    identity: identity.identity,
    subject: name,
    scopes: passOn(
      { caller: { ...identity, subject: identity.identity }, identity, subject: name },
      request.body.scope,
    ),
    ttlSeconds: identity.tokenTtlSeconds ?? app.defaultTtlSeconds,
    labels: [],
    from: clientAddressOf(request),
  })
  app.meters.tokensIssued.inc({ grant: 'token_exchange' })
  return { ...answer, issued_token_type: tokenTypes.accessToken }
}

function requirePower({ scopes }: Identity): void {
  if (permits(scopes, 'tokens:issue')) {
    return
  }
  throw new AuthError('unauthorized_client', 'the client needs the scope tokens:issue')
}

/** Refuses what we would have to ignore: the client would get something else than it asked for. */
function requireAnswerable(form: TokenRequest, ours: string): void {
  const { requested_token_type: requested, audience = [], resource = [] } = form
  if (form.actor_token !== undefined || form.actor_token_type !== undefined) {
    throw new AuthError(
      'invalid_request',
      'actor_token is not supported; client_id of every token says who asked for it',
    )
  }
  if (requested !== undefined && requested !== tokenTypes.accessToken) {
    throw new AuthError('invalid_request', `requested_token_type must be ${tokenTypes.accessToken}`)
  }
  if ([audience, resource].flat().some((target) => target !== ours)) {
    throw new AuthError(
      'invalid_target',
      `tokens are for ${ours} alone; leave audience and resource out, or name it`,
    )
  }
}

/** Every fault of the subject token is `invalid_request` (RFC 8693 §2.2.2). */
async function subjectOf(
  app: FastifyInstance,
  identity: Identity,
  { subject_token: text, subject_token_type: type }: TokenRequest,
): Promise<string> {
  if (text === undefined || type === undefined) {
    throw new AuthError('invalid_request', 'subject_token and subject_token_type are needed')
  }
  if (type !== tokenTypes.jwt) {
    throw new AuthError(
      'invalid_request',
      `subject_token_type must be ${tokenTypes.jwt}, a JWT that the client has signed`,
    )
  }
  const { issuer } = app.tokens
  const name = await takeClientJwt(app.registry, identity, { text, issuer, types: ['jwt'] })
  // A client's own name as the subject is what a client assertion has, and is not one of its users.
  if (name === undefined || name === identity.identity || !subject.Check(name)) {
    throw new AuthError(
      'invalid_request',
      `the subject token is not valid: a JWT signed with a key of the client's jwks, iss the client_id, sub the user, aud ${issuer} alone, exp ${maxAheadSeconds} seconds ahead at most, and a jti that was not used before`,
    )
  }
  return name
}
