import type { FastifyInstance, HTTPMethods, RouteOptions } from 'fastify'
import { AuthError } from '../errors.js'

const methods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * Records the routes that are registered from now on. The returned function, called after the last of
 * them, adds routes that answer 405 to every other method of their paths (RFC 9110 §15.5.6).
 */
export function methodNotAllowed(app: FastifyInstance): () => void {
  const allowed = new Map<string, Set<string>>()
  const note = ({ url, method }: Pick<RouteOptions, 'url' | 'method'>) => {
    const known = allowed.get(url) ?? new Set<string>()
    for (const name of [method].flat()) {
      known.add(name)
    }
    // Fastify answers HEAD wherever it answers GET. It reports a plugin's `/docs/` with HEAD alone.
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
          throw new AuthError('method_not_allowed', `this path allows ${allow}`, {
            headers: { allow },
          })
        },
        handler: async () => {},
      })
    }
  }
}
