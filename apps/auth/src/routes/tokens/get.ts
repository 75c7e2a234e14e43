import { TokenId } from '@portcullis/contracts/names'
import { TokenInfo } from '@portcullis/contracts/tokens'
import { Type } from '@sinclair/typebox'
import { getToken } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `GET /v1/tokens/:jti` */
export const get: Route = async (app) => {
  app.get(
    '/v1/tokens/:jti',
    {
      config: { audit: 'token.read' },
      onRequest: app.allow('tokens:read'),
      schema: {
        summary: 'Get the record of a token, which does not contain the token itself',
        params: Type.Object({ jti: TokenId }),
        response: { 200: TokenInfo, ...problemResponses },
      },
    },
    async (request) => getToken(app.registry, request.params.jti),
  )
}
