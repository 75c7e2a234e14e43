import { CountTokensByIdentity, IdentityCountPage } from '@portcullis/contracts/tokens'
import { countTokensByIdentity } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { countPageUnits } from '../units.js'

/** `GET /v1/tokens/count/by-identity` */
export const countByIdentity: Route = async (app) => {
  app.get(
    '/v1/tokens/count/by-identity',
    {
      config: { audit: 'token.read', units: countPageUnits },
      onRequest: app.allow('tokens:read'),
      schema: {
        summary: 'Count the tokens of each identity, by name',
        querystring: CountTokensByIdentity,
        response: { 200: IdentityCountPage, ...problemResponses },
      },
    },
    async (request) => countTokensByIdentity(app.registry, request.query),
  )
}
