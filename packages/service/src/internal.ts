import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { answerClientError } from './answer-client-error.js'
import { answerFrameworkError, problems } from './problems.js'
import { securityHeaders } from './security-headers.js'

/** Settings of the operators' listener. */
export const internalSettings = {
  INTERNAL_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description:
        'port of a separate listener for /metrics, /docs, /health and /ready, over HTTP without TLS; 0 serves /metrics and /docs on PORT, to every client; if unset, /metrics and /docs are not served',
    }),
  ),
  INTERNAL_HOST: Type.String({
    default: '127.0.0.1',
    description: 'address that INTERNAL_PORT listens on',
  }),
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The server for operators' routes: a separate server, or the app itself; undefined if these routes
     * are not served.
     */
    readonly internal: FastifyInstance | undefined
  }
}

export interface InternalOptions {
  /** `INTERNAL_PORT`. */
  port: number | undefined
}

/**
 * Decides where `metrics`, `documentation` and `health` serve their routes; register it before them. `run`
 * starts a separate server, which closes last, with the app.
 */
export const internal = plugin(
  async (app: FastifyInstance, { port }: InternalOptions) => {
    const server = port === undefined ? undefined : port === 0 ? app : await openServer(app)
    app.decorate('internal', { getter: () => server })
    if (server === undefined || server === app) {
      return
    }
    app.addHook('onReady', async () => {
      await server.ready()
    })
    app.addHook('onClose', () => server.close())
  },
  { name: 'internal' },
)

async function openServer({ log }: FastifyInstance): Promise<FastifyInstance> {
  const server: FastifyInstance = Fastify({
    loggerInstance: log.child({ listener: 'internal' }),
    bodyLimit: 1024,
    requestTimeout: 30_000,
    forceCloseConnections: true,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  })
  await server.register(securityHeaders, { tls: false })
  await server.register(problems)
  return server
}
