import { ListTokens, TokenPage } from '@portcullis/contracts/tokens'
import { listTokens } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { tokenPageUnits } from '../units.js'

/** `GET /v1/tokens` */
export const list: Route = async (app) => {
  app.get(
    '/v1/tokens',
    {
      config: { audit: 'token.read', units: tokenPageUnits },
      onRequest: app.allow('tokens:read'),
      schema: {
        summary: 'List tokens that have not expired, newest first',
        description:
          'Without `identity`: the tokens of every registered identity, grouped by identity, in the order of their names. ' +
          'A page may be short, even empty, and still have a `cursor`.',
        querystring: ListTokens,
        response: { 200: TokenPage, ...problemResponses },
      },
    },
    async (request) => listTokens(app.registry, request.query),
  )
}
