import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { peers } from './workers/peers.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The registry of this service's Prometheus metrics. */
    metrics: Registry
  }
}

/**
 * Creates a registry per app, so that two apps in one process do not share counters, and serves it as
 * `GET /metrics` on `app.internal`. With several workers each serves the values of all: their sum, unless the
 * metric has another `aggregator`.
 */
export const metrics = plugin(
  async (app: FastifyInstance) => {
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    new Gauge({
      name: 'service_workers',
      help: 'Processes of this service whose metrics are included',
      registers: [registry],
    }).set(1)
    const workers = peers()
    workers?.answer('metrics', async () => ({ metrics: await registry.getMetricsAsJSON() }))
    const collect = async () => {
      if (workers === undefined) {
        return registry.metrics()
      }
      const reports = await workers.ask('metrics')
      return AggregatorRegistry.aggregate(
        reports.map(({ report }) => report?.metrics ?? []),
      ).metrics()
    }
    app.decorate('metrics', registry)
    app.internal?.get(
      '/metrics',
      { logLevel: 'warn', schema: { hide: true } as object },
      async (_request, reply) => {
        return reply.type(registry.contentType).send(await collect())
      },
    )
  },
  { name: 'metrics', dependencies: ['internal'] },
)
