import { ChangeClient, ClientInformation } from '@portcullis/contracts/clients'
import type { Identity } from '@portcullis/contracts/identities'
import { covers, scopesToGive } from '@portcullis/contracts/scopes'
import type { FastifyInstance } from 'fastify'
import { AuthError } from '../../../errors.js'
import { authenticate, changeClient, RegistryError } from '../../../registry/index.js'
import { oauthErrorResponses } from '../../response-schemas.js'
import type { Route } from '../../route.js'
import { informationOf } from './information.js'
import { ClientParams, notRegistered, registered, requireRegistered } from './registered.js'
import { registrationOf } from './registration.js'

/**
 * `PUT /oauth/register/:client_id` (RFC 7592 §2.2): everything is replaced by what is sent, and what is
 * left out gets its default. A client can give scopes up here, and not get more than it has.
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
      const { identity: before, registrationToken } = registered(request)
      await requireSame(app, before, request.body)
      const registration = await registrationOf(request.body)
      request.audit.detail['scopes'] = registration.scopes.join(' ')
      requireNoMore(before, registration.scopes)
      const { identity: name } = before
      const changed = await changeClient(app.registry, name, registrationToken, registration)
      // Deleted since it was found.
      if (changed === undefined) {
        throw notRegistered()
      }
      const { identity, ...secret } = changed
      return informationOf(app, identity, { registrationToken, ...secret })
    },
  )
}

/** Members of the client information that a client must not send back (RFC 7592 §2.2). */
const ours = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
] as const

async function requireSame(
  app: Pick<FastifyInstance, 'registry'>,
  { identity }: Identity,
  body: ChangeClient,
): Promise<void> {
  const member = ours.find((name) => name in body)
  if (member !== undefined) {
    throw wrong(`${member} cannot be changed; leave it out`)
  }
  if (body.client_id !== identity) {
    throw wrong('client_id must be that of the registration')
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
    throw wrong('client_secret is not that of the registration; leave it out')
  }
}

function requireNoMore({ identity, scopes }: Identity, wanted: readonly string[]): void {
  const held = scopesToGive({ identity, subject: identity, scopes }, identity)
  const beyond = wanted.find((scope) => !covers(held, scope))
  if (beyond !== undefined) {
    throw wrong(`the client does not have the scope ${beyond}; ask who registered it`)
  }
}

function wrong(message: string): AuthError {
  return new AuthError('invalid_client_metadata', message)
}
