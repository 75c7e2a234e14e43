import { ListTokens, TokenPage } from '@portcullis/contracts'
import { listTokens } from '../../registry/index.js'
import { problemAnswers } from '../answers.js'
import type { Route } from '../route.js'

/** `GET /v1/tokens?identity=…` */
export const list: Route = async (app) => {
  app.get(
    '/v1/tokens',
    {
      config: { audit: 'token.read' },
      onRequest: app.allow('tokens:read'),
      schema: {
        summary: "List an identity's tokens, newest first",
        querystring: ListTokens,
        response: { 200: TokenPage, ...problemAnswers },
      },
    },
    async (request) => listTokens(app.registry, request.query),
  )
}
