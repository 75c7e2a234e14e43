import { Receipt, RevocationId } from '@portcullis/contracts/revocations'
import { Type } from '@sinclair/typebox'
import { getReceipt } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `GET /v1/revocations/:id` */
export const get: Route = async (app) => {
  app.get(
    '/v1/revocations/:id',
    {
      config: { audit: 'revocation.read' },
      onRequest: app.allow('tokens:read', 'tokens:revoke'),
      schema: {
        summary: "Get a revocation's receipt",
        params: Type.Object({ id: RevocationId }),
        response: { 200: Receipt, ...problemResponses },
      },
    },
    async (request) => getReceipt(app.registry, request.params.id),
  )
}
