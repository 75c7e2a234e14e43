import type { Identity } from '@portcullis/contracts/identities'
import { IdentityName } from '@portcullis/contracts/names'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { noteActor } from '../../../audit/note-actor.js'
import { AuthError } from '../../../errors.js'
import { findClient } from '../../../registry/index.js'

export const ClientParams = Type.Object({ client_id: IdentityName })

/** A client that has shown its registration access token. */
export interface Registered {
  identity: Identity
  registrationToken: string
}

const proven = new WeakMap<FastifyRequest, Registered>()

/**
 * A hook that admits the client that the path names, by its registration access token (RFC 7592 §2).
 * 401 alike when the token is wrong and when there is no such client (§2.1). As `allow` does, before
 * anything of a body is read.
 */
export function requireRegistered(app: FastifyInstance) {
  return async (request: FastifyRequest<{ Params: { client_id: string } }>): Promise<void> => {
    const [, registrationToken] =
      /^bearer +([A-Za-z0-9._~+/-]{1,512}=*)$/i.exec(request.headers.authorization ?? '') ?? []
    if (registrationToken === undefined) {
      throw notRegistered()
    }
    const identity = await findClient(app.registry, request.params.client_id, registrationToken)
    if (identity === undefined) {
      throw notRegistered()
    }
    noteActor(request, identity)
    request.audit.target.identity = identity.identity
    proven.set(request, { identity, registrationToken })
  }
}

/** Who makes the request. @throws when its route has no `requireRegistered` hook */
export function registered(request: FastifyRequest): Registered {
  const found = proven.get(request)
  if (found === undefined) {
    throw new Error('this route has no requireRegistered hook')
  }
  return found
}

export function notRegistered(): AuthError {
  return new AuthError(
    'invalid_token',
    'send the registration_access_token of this client as "Authorization: Bearer <token>"',
    { headers: { 'www-authenticate': 'Bearer realm="portcullis", error="invalid_token"' } },
  )
}
