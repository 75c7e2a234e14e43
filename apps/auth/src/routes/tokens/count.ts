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
          'With `exact: false` there are at least so many: many tokens are covered by several revocations, ' +
          'or the filter has no index and lets too many through to be looked at, or there are too many identities.',
        querystring: CountTokens,
        response: { 200: TokenCount, ...problemResponses },
      },
    },
    async (request) => countTokens(app.registry, request.query),
  )
}
