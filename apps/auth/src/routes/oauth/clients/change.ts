import { ChangeClient, ClientInformation } from '@portcullis/contracts/clients'
import type { Identity } from '@portcullis/contracts/identities'
import { covers, scopesToGive } from '@portcullis/contracts/scopes'
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../../../errors.js'
import { authenticate, changeClient, RegistryError } from '../../../registry/index.js'
import { oauthErrorResponses } from '../../response-schemas.js'
import type { Route } from '../../route.js'
import { informationOf } from './information.js'
import {
  ClientParams,
  notRegistered,
  registeredClient,
  requireRegistered,
} from './registered-client.js'
import { registrationOf } from './registration.js'

/**
 * `PUT /oauth/register/:client_id` (RFC 7592 §2.2): replaces the whole registration; absent members
 * get their defaults. A client can give up scopes, but not add any.
 */
export const change: Route = async (app) => {
  app.put(
    '/oauth/register/:client_id',
    {
      config: { audit: 'identity.change' },
      onRequest: requireRegistered(app),
      schema: {
        summary: 'Replace a registration, by its registration access token',
        params: ClientParams,
        body: ChangeClient,
        response: { 200: ClientInformation, ...oauthErrorResponses },
      },
    },
    async (request) => {
      const { identity: current, registrationToken } = registeredClient(request)
      await requireSameClient(app, current, request.body)
      const registration = await registrationOf(request.body)
      request.audit.detail['scopes'] = registration.scopes.join(' ')
      requireNoNewScopes(current, registration.scopes)
      const { identity: name } = current
      const changed = await changeClient(app.registry, name, registrationToken, registration)
      // Deleted since the token was checked.
      if (changed === undefined) {
        throw notRegistered()
      }
      const { identity, ...secret } = changed
      return informationOf(app, identity, { registrationToken, ...secret })
    },
  )
}

/** Members of the client information that a client must not send back (RFC 7592 §2.2). */
const readOnlyMembers = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
] as const

async function requireSameClient(
  app: Pick<FastifyInstance, 'registry'>,
  { identity }: Identity,
  body: ChangeClient,
): Promise<void> {
  const member = readOnlyMembers.find((name) => name in body)
  if (member !== undefined) {
    throw invalidMetadata(`${member} cannot be changed; leave it out`)
  }
  if (body.client_id !== identity) {
    throw invalidMetadata('client_id must be the one in the path')
  }
  if (body.client_secret === undefined) {
    return
  }
  try {
    await authenticate(app.registry, identity, body.client_secret)
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'invalid_client') {
      throw error
    }
    throw invalidMetadata('client_secret is wrong; leave it out')
  }
}

function requireNoNewScopes({ identity, scopes }: Identity, wanted: readonly string[]): void {
  const held = scopesToGive({ identity, subject: identity, scopes }, identity)
  const beyond = wanted.find((scope) => !covers(held, scope))
  if (beyond !== undefined) {
    throw invalidMetadata(`the client does not have the scope ${beyond}; ask who registered it`)
  }
}

function invalidMetadata(message: string): AuthError {
  return new AuthError('invalid_client_metadata', message)
}
