import { Type } from '@sinclair/typebox'
import Fastify, { type FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import { answerClientError } from './answer-client-error.js'
import { answerFrameworkError, problems } from './problems.js'
import { securityHeaders } from './security-headers.js'

/** Settings of the listener for operators. */
export const internalSettings = {
  INTERNAL_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description:
        'port of a listener of its own for /metrics, /docs, /health and /ready, over HTTP without TLS; 0: /metrics and /docs are on PORT, for everyone who reaches it; without it they are nowhere',
    }),
  ),
  INTERNAL_HOST: Type.String({
    default: '127.0.0.1',
    description: 'address that the listener of INTERNAL_PORT is on',
  }),
}

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The server for what operators see and clients do not: another one than the app's own, or the app
     * itself; undefined when it is served nowhere.
     */
    readonly internal: FastifyInstance | undefined
  }
}

export interface InternalOptions {
  /** `INTERNAL_PORT`. */
  port: number | undefined
}

/**
 * Decides where `metrics`, `documentation` and `health` serve their routes. To be registered before them.
 * A server of its own listens when `run` starts it, and closes last, with the app.
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
