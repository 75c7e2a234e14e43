import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { peers } from '../workers/peers.js'
import { serviceFamilies } from './families.js'
import { Instruments } from './instruments.js'
import { measureRequests } from './request-durations.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Registers this service's Prometheus metrics. */
    metrics: Instruments
  }
}

export interface MetricsOptions {
  /** `auth` or `realtime`. */
  service: string
  version: string
}

/**
 * Creates a registry per app, so that two apps in one process do not share counters, and serves it as
 * `GET /metrics` on `app.internal`. With several workers each serves the values of all: their sum, unless the
 * metric has another `ofWorkers`. Measures the requests of routes that are registered later.
 */
export const metrics = plugin(
  async (app: FastifyInstance, { service, version }: MetricsOptions) => {
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const instruments = new Instruments(registry)
    const build = [[service, version, process.version], 1] as const
    instruments.values(serviceFamilies.buildInfo, () => [build])
    instruments.value(serviceFamilies.workers, () => 1)
    instruments.durations(serviceFamilies.requestDuration, measureRequests(app))
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
    app.decorate('metrics', instruments)
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
