import type { Identity } from '@portcullis/contracts/identities'
import { IdentityName } from '@portcullis/contracts/names'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { noteActor } from '../../../audit/note-actor.js'
import { AuthError } from '../../../errors.js'
import { findClient } from '../../../registry/index.js'

export const ClientParams = Type.Object({ client_id: IdentityName })

/** A client that has authenticated with its registration access token. */
export interface RegisteredClient {
  identity: Identity
  registrationToken: string
}

const authenticated = new WeakMap<FastifyRequest, RegisteredClient>()

/**
 * Returns a hook that admits the client in the path by its registration access token (RFC 7592 §2). A
 * wrong token and an unknown client get the same 401 (§2.1). Runs before the body is read, as `allow`
 * does.
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
    authenticated.set(request, { identity, registrationToken })
  }
}

/**
 * Returns the client that the `requireRegistered` hook admitted. @throws Error without such a hook
 */
export function registeredClient(request: FastifyRequest): RegisteredClient {
  const found = authenticated.get(request)
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
