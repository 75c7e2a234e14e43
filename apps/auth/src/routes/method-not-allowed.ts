import type { FastifyInstance, HTTPMethods, RouteOptions } from 'fastify'
import { AuthError } from '../errors.js'

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Watches which routes there are; the function that it gives adds, when all are there, the answer 405
 * to every other method of their paths (RFC 9110 §15.5.6).
 */
export function methodNotAllowed(app: FastifyInstance): () => void {
  const allowed = new Map<string, Set<string>>()
  const note = ({ url, method }: Pick<RouteOptions, 'url' | 'method'>) => {
    const known = allowed.get(url) ?? new Set<string>()
    for (const one of [method].flat()) {
      known.add(one)
    }
    // Fastify answers HEAD wherever it answers GET. Of a plugin's `/docs/` it names HEAD alone.
    if (known.has('GET') || known.has('HEAD')) {
      known.add('GET').add('HEAD')
    }
    allowed.set(url, known)
  }
  app.addHook('onRoute', note)
  return () => {
    for (const [url, known] of [...allowed]) {
      const allow = [...known].sort().join(', ')
      app.route({
        method: methods.filter((method) => !known.has(method)),
        url,
        schema: { hide: true },
        onRequest: async () => {
          throw new AuthError('method_not_allowed', `the methods here are ${allow}`, {
            headers: { allow },
          })
        },
        handler: async () => {},
      })
    }
  }
}
