import { RegistryReport } from '@portcullis/contracts/registry'
import { inspectServers } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `GET /v1/registry` */
export const show: Route = async (app) => {
  app.get(
    '/v1/registry',
    {
      config: { audit: 'node.read' },
      onRequest: app.allow('nodes:read'),
      schema: {
        summary: "Get the settings and the state of the registry's Redis",
        response: { 200: RegistryReport, ...problemResponses },
      },
    },
    async () => ({
      at: Date.now(),
      partitions: app.registry.partitions,
      leaseMs: app.registry.leaseMs,
      revocationReplicas: app.revocationReplicas,
      ...(await inspectServers(app.registry)),
    }),
  )
}
