import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'

/**
 * Refuses requests with several `Host` headers (RFC 9112 §3.2). Node uses the first; a proxy that uses
 * another would route the request by one host and check it by another.
 */
export const requireOneHost = plugin(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', (request, _reply, done) => {
      if (countHosts(request.raw.rawHeaders) < 2) {
        done()
        return
      }
      done(
        Object.assign(new Error('the request must have one Host header'), {
          statusCode: 400,
          code: 'malformed_request',
        }),
      )
    })
  },
  { name: 'require-one-host', fastify: '5.x' },
)

/** @param rawHeaders - names and values in turn */
function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') {
      hosts += 1
    }
  }
  return hosts
}
