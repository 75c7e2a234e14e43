import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'

export interface SecurityHeadersOptions {
  /** True if this service itself listens with TLS. Browsers then get `Strict-Transport-Security`. */
  tls: boolean
}

/** A year, in seconds. */
const hstsMaxAge = 31_536_000

/**
 * Sets headers that keep browsers from rendering or embedding answers, which are JSON for programs. A route
 * that serves HTML declares its needs in its `helmet` option
 * (`{ helmet: { contentSecurityPolicy: { directives: … } } }`).
 *
 * Register this before any hook that may answer.
 */
export const securityHeaders = plugin(
  async (app: FastifyInstance, { tls }: SecurityHeadersOptions) => {
    const headers = Object.entries({
      ...fixedHeaders,
      // RFC 6797 §7.2: not without TLS. A proxy that terminates TLS sets its own header.
      ...(tls ? { 'strict-transport-security': `max-age=${hstsMaxAge}` } : {}),
    })
    // The same for every answer: helmet would write them anew for each.
    app.addHook('onRequest', (request, reply, done) => {
      if (!('helmet' in request.routeOptions.config)) {
        for (const [name, value] of headers) {
          reply.raw.setHeader(name, value)
        }
      }
      done()
    })
    await app.register(helmet, {
      global: false,
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
      crossOriginResourcePolicy: { policy: 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      strictTransportSecurity: tls ? { maxAge: hstsMaxAge, includeSubDomains: false } : false,
      xFrameOptions: { action: 'deny' },
      // Only for obsolete browsers, or for kinds of pages that the services do not serve.
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xPermittedCrossDomainPolicies: false,
      xXssProtection: false,
    })
  },
  { name: 'security-headers', fastify: '5.x' },
)

const fixedHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

/** The same headers for answers that are sent before any hook runs. */
export const answerHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  ...fixedHeaders,
}
