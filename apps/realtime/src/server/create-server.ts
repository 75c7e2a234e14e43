import {
  answerClientError,
  answerFrameworkError,
  loggerOptions,
  serverTls,
  trustProxy,
} from '@portcullis/service'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Config } from '../config/config.js'

const apiBodyBytes = 524_288

/** A Fastify server with our bounds, and nothing on it yet. */
export function createServer(config: Config): FastifyInstance {
  const { LOG_LEVEL, TRUST_PROXY } = config
  const tls = serverTls(config)
  return Fastify({
    ...(tls === undefined ? {} : { https: tls }),
    logger: loggerOptions('realtime', LOG_LEVEL),
    bodyLimit: apiBodyBytes,
    // Who may say where a request comes from; a direct peer may not.
    trustProxy: trustProxy(TRUST_PROXY),
    // To send a request, not to answer it; a slow sender must not hold a connection for ever.
    requestTimeout: 30_000,
    frameworkErrors: (error, request, reply) => {
      // No hook runs for these, and Node leaves the socket of a refused upgrade open.
      if (request.raw.headers.upgrade !== undefined) {
        reply.raw.once('finish', () => request.raw.socket.destroySoon())
      }
      answerFrameworkError(error, request, reply)
    },
    clientErrorHandler: answerClientError,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    // `closing` says it better.
    return503OnClosing: false,
  })
}
