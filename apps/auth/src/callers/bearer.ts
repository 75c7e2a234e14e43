import type { FastifyReply, FastifyRequest } from 'fastify'
import { noteActor, noteClaimedActor } from '../audit/note-actor.js'
import { AuthError } from '../errors.js'
import { words } from '../registry/identities/record.js'
import type { Jwt } from '../tokens/jwt.js'
import { verify } from '../tokens/verify.js'
import type { AdmittedCaller } from './caller.js'
import type { Callers } from './callers.js'

/** Returns true if an Authorization header has the scheme Bearer. */
export function isBearer(authorization: string | undefined): authorization is string {
  return authorization !== undefined && /^bearer(?: |$)/i.test(authorization)
}

/**
 * Authenticates a request by the token in its `Authorization: Bearer` header, and notes the caller
 * for the audit log, also that of a token which this issuer signed and which is no longer valid.
 * Tokens in the query or the body are ignored (RFC 9700 §4.3.2).
 *
 * @throws AuthError `invalid_token`, the same for a malformed, expired or revoked token
 * @throws RegistryError `registry_unavailable`
 */
export function admitBearer(
  callers: Callers,
  jwt: Jwt,
  request: FastifyRequest,
  reply: FastifyReply,
): AdmittedCaller | Promise<AdmittedCaller> {
  const { authorization } = request.headers
  if (!isBearer(authorization)) {
    throw new AuthError('invalid_token', 'send a token as "Authorization: Bearer <token>"', {
      // RFC 6750 §3.1: no error code for a request without any authentication.
      headers: { 'www-authenticate': 'Bearer realm="portcullis"' },
    })
  }
  const [, token] = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization) ?? []
  const active = token === undefined ? undefined : callers.admit(request, reply, token)
  return active instanceof Promise
    ? active.then((found) => callerOf(jwt, request, token, found))
    : callerOf(jwt, request, token, active)
}

/** Returns the caller with an active token, or throws; notes who it is. */
function callerOf(
  jwt: Jwt,
  request: FastifyRequest,
  token: string | undefined,
  active: Awaited<ReturnType<Callers['admit']>>,
): AdmittedCaller {
  if (active === undefined) {
    const claims = token === undefined ? undefined : verify(jwt, token)
    if (claims !== undefined) {
      noteClaimedActor(request, {
        identity: claims.client_id,
        subject: claims.sub,
        jti: claims.jti,
      })
    }
    throw new AuthError('invalid_token', 'the token is not valid or has expired; get a new one', {
      headers: { 'www-authenticate': 'Bearer realm="portcullis", error="invalid_token"' },
    })
  }
  const { claims, record, authority } = active
  const { labels, parents, issuedUs, expiresAt } = record
  const caller = {
    identity: claims.client_id,
    subject: record.subject,
    scopes: words(record.scope),
    token: { jti: claims.jti, labels, parents, issuedUs, expiresAt },
    ...authority,
  }
  noteActor(request, caller)
  return caller
}
