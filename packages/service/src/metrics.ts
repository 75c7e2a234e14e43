import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { collectDefaultMetrics, Registry } from 'prom-client'

declare module 'fastify' {
  interface FastifyInstance {
    /** The registry of this service's Prometheus metrics. */
    metrics: Registry
  }
}

/**
 * Creates a registry per app, so that two apps in one process do not share counters, and serves it as
 * `GET /metrics` on `app.internal`.
 */
export const metrics = plugin(
  async (app: FastifyInstance) => {
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    app.decorate('metrics', registry)
    app.internal?.get(
      '/metrics',
      { logLevel: 'warn', schema: { hide: true } as object },
      async (_request, reply) => {
        return reply.type(registry.contentType).send(await registry.metrics())
      },
    )
  },
  { name: 'metrics', dependencies: ['internal'] },
)
