import { ClientInformation, RegisterClient } from '@portcullis/contracts/clients'
import { scopesToGive } from '@portcullis/contracts/scopes'
import { requireCovered } from '../../../callers/caller.js'
import { registerClient } from '../../../registry/index.js'
import { oauthErrorResponses } from '../../response-schemas.js'
import type { Route } from '../../route.js'
import { informationOf } from './information.js'
import { registrationOf } from './registration.js'

/**
 * `POST /oauth/register` (RFC 7591). The initial access token is an access token with the scope
 * `identities:write`; a client's scopes cannot exceed those of that token.
 */
export const register: Route = async (app) => {
  app.post(
    '/oauth/register',
    {
      config: { audit: 'identity.register' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Register a client; only this response shows its secrets',
        body: RegisterClient,
        response: { 201: ClientInformation, ...oauthErrorResponses },
      },
    },
    async (request, reply) => {
      const registration = await registrationOf(request.body)
      request.audit.detail['scopes'] = registration.scopes.join(' ')
      requireCovered(request.caller, registration.scopes)
      const ceiling = scopesToGive(request.caller)
      const { identity, ...secrets } = await request.caller.act((registry) =>
        registerClient(registry, registration, ceiling),
      )
      request.audit.target.identity = identity.identity
      reply.code(201)
      return informationOf(app, identity, secrets)
    },
  )
}
