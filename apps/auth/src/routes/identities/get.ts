import { Identity } from '@portcullis/contracts/identities'
import { getIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { IdentityParams } from './params.js'

/** `GET /v1/identities/:identity` */
export const get: Route = async (app) => {
  app.get(
    '/v1/identities/:identity',
    {
      config: { audit: 'identity.read' },
      onRequest: app.allow('identities:read'),
      schema: {
        summary: 'Get an identity',
        params: IdentityParams,
        response: { 200: Identity, ...problemResponses },
      },
    },
    async (request) => getIdentity(app.registry, request.params.identity),
  )
}
