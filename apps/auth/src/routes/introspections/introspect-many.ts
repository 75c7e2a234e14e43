import {
  IntrospectedMany,
  IntrospectMany,
  maxIntrospections,
} from '@portcullis/contracts/introspection'
import { maxTokenLength } from '@portcullis/contracts/names'
import { introspectionResponses } from '../../tokens/introspection.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { introspectionUnits } from '../units.js'

/** Room for `maxIntrospections` tokens, each with quotes and a comma, and the object around them. */
const bodyLimit = maxIntrospections * (maxTokenLength + 3) + 64

/** `POST /v1/introspections`: many tokens at once, one round trip to the registry. */
export const introspectMany: Route = async (app) => {
  app.post(
    '/v1/introspections',
    {
      bodyLimit,
      config: { audit: 'token.introspect', units: introspectionUnits },
      onRequest: app.allow('introspect'),
      schema: {
        summary: 'Introspect many tokens at once; results in the same order',
        body: IntrospectMany,
        response: { 200: IntrospectedMany, ...problemResponses },
      },
    },
    async (request) => {
      const results = await introspectionResponses(app.registry, app.tokens, request.body.tokens)
      const active = results.filter((result) => result.active).length
      app.meters.introspections.active += active
      app.meters.introspections.inactive += results.length - active
      return { results }
    },
  )
}
