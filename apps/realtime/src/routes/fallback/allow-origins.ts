import type { FastifyInstance } from 'fastify'
import { checkOrigin } from '../connect/check-origin.js'

/** How long a browser may keep the answer to a preflight, in seconds. Browsers allow two hours at most. */
const preflightSeconds = 7200

/**
 * Refuses requests of pages whose origin is not allowed, and lets the other pages read the answers (CORS).
 * Returns the function that answers the preflights of an address. No cookies are read or allowed.
 */
export function allowOrigins(
  app: FastifyInstance,
  allowed: readonly string[],
): (address: string) => void {
  app.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    reply.header('vary', 'origin')
    checkOrigin(origin, allowed)
    if (origin !== undefined) {
      reply.header('access-control-allow-origin', origin)
    }
  })
  return (address) => {
    app.options(address, { schema: { hide: true } }, async (_request, reply) =>
      reply
        .code(204)
        .headers({
          'access-control-allow-methods': 'POST',
          'access-control-allow-headers': 'authorization, content-type',
          'access-control-max-age': String(preflightSeconds),
        })
        .send(),
    )
  }
}
