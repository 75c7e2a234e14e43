import { ClientInformation } from '@portcullis/contracts/clients'
import { oauthErrorResponses } from '../../response-schemas.js'
import type { Route } from '../../route.js'
import { informationOf } from './information.js'
import { ClientParams, registeredClient, requireRegistered } from './registered-client.js'

/** `GET /oauth/register/:client_id` (RFC 7592 §2.1) */
export const get: Route = async (app) => {
  app.get(
    '/oauth/register/:client_id',
    {
      config: { audit: 'identity.read' },
      onRequest: requireRegistered(app),
      schema: {
        summary: 'Read a registration, by its registration access token',
        params: ClientParams,
        response: { 200: ClientInformation, ...oauthErrorResponses },
      },
    },
    async (request) => {
      const { identity, registrationToken } = registeredClient(request)
      return informationOf(app, identity, { registrationToken })
    },
  )
}
