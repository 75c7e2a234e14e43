import { ReceiptPage } from '@portcullis/contracts/revocations'
import { listReceipts } from '../../registry/index.js'
import { Paging } from '../paging.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { pageUnits } from '../units.js'

/** `GET /v1/revocations` */
export const list: Route = async (app) => {
  app.get(
    '/v1/revocations',
    {
      config: { audit: 'revocation.read', units: pageUnits },
      onRequest: app.allow('tokens:read', 'tokens:revoke'),
      schema: {
        summary: 'List receipts, newest first',
        querystring: Paging,
        response: { 200: ReceiptPage, ...problemResponses },
      },
    },
    async (request) => listReceipts(app.registry, request.query),
  )
}
