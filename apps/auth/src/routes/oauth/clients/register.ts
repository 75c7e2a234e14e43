import { ClientInformation, RegisterClient } from '@portcullis/contracts/clients'
import { scopesToGive } from '@portcullis/contracts/scopes'
import { requireCovered } from '../../../callers/caller.js'
import { registerClient } from '../../../registry/index.js'
import { oauthErrorResponses } from '../../response-schemas.js'
import type { Route } from '../../route.js'
import { informationOf } from './information.js'
import { registrationOf } from './registration.js'

/**
 * `POST /oauth/register` (RFC 7591): the initial access token is one of ours with the scope
 * `identities:write`, and nobody registers a client that may do more than that token.
 */
export const register: Route = async (app) => {
  app.post(
    '/oauth/register',
    {
      config: { audit: 'identity.register' },
      onRequest: app.allow('identities:write'),
      schema: {
        summary: 'Register a client; the answer shows its secrets, once',
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
