import { defined } from '@portcullis/contracts/defined'
import {
  answerClientError,
  answerFrameworkError,
  loggerOptions,
  serverTls,
  trustProxy,
} from '@portcullis/service'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Config } from '../config/config.js'
import { describeInvalid } from './describe-invalid.js'

const maxBodyBytes = 524_288

/** Returns a Fastify server with bounds and error replies, and without routes. */
export function createServer(config: Config): FastifyInstance {
  const { LOG_LEVEL, TRUST_PROXY } = config
  const tls = serverTls(config)
  return Fastify({
    ...defined({ https: tls }),
    logger: loggerOptions('realtime', LOG_LEVEL),
    bodyLimit: maxBodyBytes,
    // Only these proxies may state the address of a client.
    trustProxy: trustProxy(TRUST_PROXY),
    // Time to receive a whole request, so that slow senders cannot hold connections.
    requestTimeout: 30_000,
    frameworkErrors: (error, request, reply) => {
      // No hook runs for these errors, and Node leaves the socket of a refused upgrade open.
      if (request.raw.headers.upgrade !== undefined) {
        reply.raw.once('finish', () => request.raw.socket.destroySoon())
      }
      answerFrameworkError(error, request, reply)
    },
    clientErrorHandler: answerClientError,
    // `verbose` adds the schema to an error.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, verbose: true } },
    schemaErrorFormatter: describeInvalid,
    // The `closing` plugin replies instead.
    return503OnClosing: false,
  })
}
