import { IdentityPage } from '@portcullis/contracts/identities'
import { listIdentities } from '../../registry/index.js'
import { Paging } from '../paging.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { pageUnits } from '../units.js'

/** `GET /v1/identities` */
export const list: Route = async (app) => {
  app.get(
    '/v1/identities',
    {
      config: { audit: 'identity.read', units: pageUnits },
      onRequest: app.allow('identities:read'),
      schema: {
        summary: 'List identities, by name',
        querystring: Paging,
        response: { 200: IdentityPage, ...problemResponses },
      },
    },
    async (request) => listIdentities(app.registry, request.query),
  )
}
