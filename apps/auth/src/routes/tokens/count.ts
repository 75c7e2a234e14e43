import { CountTokens, TokenCount } from '@portcullis/contracts/tokens'
import { countTokens } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { tokenCountUnits } from '../units.js'

/** `GET /v1/tokens/count?identity=…` */
export const count: Route = async (app) => {
  app.get(
    '/v1/tokens/count',
    {
      config: { audit: 'token.read', units: tokenCountUnits },
      onRequest: app.allow('tokens:read'),
      schema: {
        summary: 'Count tokens that have not expired, by state',
        description:
          'With `exact: false`, the numbers are lower bounds: several revocations cover many tokens, ' +
          'or the filter has no index and too many tokens match, or there are too many identities.',
        querystring: CountTokens,
        response: { 200: TokenCount, ...problemResponses },
      },
    },
    async (request) => countTokens(app.registry, request.query),
  )
}
