import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'

/** Returns why the service cannot do its work now; undefined when it can. */
export type ReadyCheck = () => Promise<string | undefined> | string | undefined

export interface HealthOptions {
  /** Returns why the process has to end; undefined while it may run. */
  alive?: () => string | undefined
  checks: Readonly<Record<string, ReadyCheck>>
  /** Advice to operators that does not affect readiness; `/health` shows it. */
  warnings?: Readonly<Record<string, string>>
}

const healthSchema = {
  summary: 'Report whether the process is healthy',
  response: {
    200: Type.Object({
      status: Type.Literal('ok'),
      warnings: Type.Optional(Type.Record(Type.String(), Type.String())),
    }),
    503: Type.Object({ status: Type.Literal('failed'), reason: Type.String() }),
  },
}
const readySchema = {
  summary: 'Report whether the service is ready',
  response: {
    200: Type.Object({ status: Type.Literal('ready') }),
    503: Type.Object({
      status: Type.Literal('not ready'),
      reasons: Type.Record(Type.String(), Type.String()),
    }),
  },
}

/**
 * `GET /health` answers 200, with `warnings` if any, or 503 with the reason why the process has to end.
 * `GET /ready` answers 200, or 503 with the reasons. Both are also on `app.internal`.
 */
export const health = plugin(
  async (app: FastifyInstance, options: HealthOptions) => {
    serve(app, options)
    if (app.internal !== undefined && app.internal !== app) {
      serve(app.internal, options)
    }
  },
  { name: 'health', dependencies: ['internal'] },
)

function serve(app: FastifyInstance, { alive, checks, warnings }: HealthOptions): void {
  const healthy = { status: 'ok', ...(warnings === undefined ? {} : { warnings }) }
  app.get('/health', { logLevel: 'warn', schema: healthSchema }, async (_request, reply) => {
    const reason = alive?.()
    if (reason === undefined) {
      return healthy
    }
    return reply.code(503).send({ status: 'failed', reason })
  })
  app.get('/ready', { logLevel: 'warn', schema: readySchema }, async (_request, reply) => {
    const reasons: Record<string, string> = {}
    for (const [name, check] of Object.entries(checks)) {
      const reason = await Promise.resolve()
        .then(check)
        .catch(() => 'check failed')
      if (reason !== undefined) {
        reasons[name] = reason
      }
    }
    if (Object.keys(reasons).length === 0) {
      return { status: 'ready' }
    }
    return reply.code(503).header('retry-after', '1').send({ status: 'not ready', reasons })
  })
}
