import { NodeList } from '@portcullis/contracts/feed'
import { listNodes } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `GET /v1/nodes` */
export const list: Route = async (app) => {
  app.get(
    '/v1/nodes',
    {
      config: { audit: 'node.read' },
      onRequest: app.allow('nodes:read'),
      schema: { summary: 'List realtime nodes', response: { 200: NodeList, ...problemResponses } },
    },
    async () => ({ nodes: await listNodes(app.registry) }),
  )
}
