import { randomUUID } from 'node:crypto'
import { defined } from '@portcullis/contracts/defined'
import {
  answerClientError,
  answerFrameworkError,
  closing,
  internal,
  loggerOptions,
  requireOneHost,
  securityHeaders,
  serverTls,
  trustProxy,
  warnOfProxy,
} from '@portcullis/service'
import Fastify, { type FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import type { Config } from '../config.js'

/** Bytes of a request body; introspections of many tokens have a limit of their own. */
const bodyLimit = 64 * 1024

/** Makes the HTTP server, without routes. */
export function newServer(config: Config, logs: DestinationStream | undefined): FastifyInstance {
  const logger = loggerOptions('auth', config.LOG_LEVEL)
  const tls = serverTls(config)
  return Fastify({
    ...defined({ https: tls }),
    logger: logs === undefined ? logger : { ...logger, stream: logs },
    bodyLimit,
    genReqId: () => randomUUID(),
    // Only these peers may say where a request comes from.
    trustProxy: trustProxy(config.TRUST_PROXY),
    forceCloseConnections: 'idle',
    // The time to send a request: a slow sender must not hold a connection for ever.
    requestTimeout: 30_000,
    // An identity of 128 characters, each percent-encoded.
    routerOptions: { maxParamLength: 384 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    // The `closing` plugin answers instead.
    return503OnClosing: false,
  })
}

/** Registers what comes before every route: the internal port, headers, and the answer while closing. */
export async function openServer(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(internal, { port: config.INTERNAL_PORT })
  await app.register(securityHeaders, { tls: config.TLS_CERT !== undefined })
  await app.register(requireOneHost)
  await app.register(warnOfProxy, { trusted: config.TRUST_PROXY })
  await app.register(closing, {
    allowedRoutes: ['/health', '/ready', '/metrics'],
    bodyOf: ({ routeOptions: { url } }) =>
      url?.startsWith('/oauth/')
        ? {
            error: 'temporarily_unavailable',
            error_description: 'this instance is closing; try again at another',
          }
        : undefined,
  })
}
