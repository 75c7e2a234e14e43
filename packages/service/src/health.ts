import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { WorkerReport } from './workers/messages.js'
import { type Peers, peers } from './workers/peers.js'

/** Returns why the service cannot do its work now; undefined when it can. */
export type ReadyCheck = () => Promise<string | undefined> | string | undefined

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns why this process is not ready, by check; empty when it is. */
    failingChecks(): Promise<Readonly<Record<string, string>>>
  }
}

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

/** The state of a process, or of all workers of a service. */
interface State {
  /** Returns why the process has to end; undefined while it may run. */
  failure(): Promise<string | undefined>
  /** Returns why it is not ready, by check; empty when it is. */
  reasons(): Promise<Readonly<Record<string, string>>>
}

/**
 * `GET /health` answers 200, with `warnings` if any, or 503 with the reason why the process has to end.
 * `GET /ready` answers 200, or 503 with the reasons. Both are also on `app.internal`. Each worker answers
 * for all workers: a client of their port reaches any of them.
 */
export const health = plugin(
  async (app: FastifyInstance, { alive, checks, warnings }: HealthOptions) => {
    const own: State = { failure: async () => alive?.(), reasons: () => failingChecks(checks) }
    app.decorate('failingChecks', own.reasons)
    const workers = peers()
    const state = workers === undefined ? own : stateOfAll(own, workers)
    serve(app, state, warnings)
    if (app.internal !== undefined && app.internal !== app) {
      serve(app.internal, state, warnings)
    }
  },
  { name: 'health', dependencies: ['internal'] },
)

async function failingChecks(checks: HealthOptions['checks']): Promise<Record<string, string>> {
  const reasons: Record<string, string> = {}
  for (const [name, check] of Object.entries(checks)) {
    const reason = await Promise.resolve()
      .then(check)
      .catch(() => 'check failed')
    if (reason !== undefined) {
      reasons[name] = reason
    }
  }
  return reasons
}

/** Returns the state of all workers, and lets the others ask for this worker's. */
function stateOfAll(own: State, workers: Peers): State {
  workers.answer('health', async () => {
    const failure = await own.failure()
    return failure === undefined ? {} : { failure }
  })
  workers.answer('readiness', async () => ({ reasons: await own.reasons() }))
  return {
    async failure() {
      const failures = (await workers.ask('health')).flatMap(({ worker, report, missing }) => {
        const why = missing === 'no answer' ? missing : report?.failure
        return why === undefined ? [] : [`worker ${worker}: ${why}`]
      })
      return failures.length === 0 ? undefined : failures.join('; ')
    },
    async reasons() {
      return Object.assign({}, ...(await workers.ask('readiness')).map(reasonsOf))
    },
  }
}

function reasonsOf({ worker, report, missing }: WorkerReport): Record<string, string> {
  const name = `worker ${worker}`
  if (missing !== undefined) {
    return { [name]: missing }
  }
  const reasons = Object.entries(report?.reasons ?? {})
  return Object.fromEntries(reasons.map(([check, reason]) => [`${name} ${check}`, reason]))
}

function serve(app: FastifyInstance, state: State, warnings: HealthOptions['warnings']): void {
  const healthy = { status: 'ok', ...(warnings === undefined ? {} : { warnings }) }
  app.get('/health', { logLevel: 'warn', schema: healthSchema }, async (_request, reply) => {
    const reason = await state.failure()
    if (reason === undefined) {
      return healthy
    }
    return reply.code(503).send({ status: 'failed', reason })
  })
  app.get('/ready', { logLevel: 'warn', schema: readySchema }, async (_request, reply) => {
    const reasons = await state.reasons()
    if (Object.keys(reasons).length === 0) {
      return { status: 'ready' }
    }
    return reply.code(503).header('retry-after', '1').send({ status: 'not ready', reasons })
  })
}
