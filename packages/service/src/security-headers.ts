import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'

export interface SecurityHeadersOptions {
  /** Whether this service itself speaks TLS: browsers are then told to come back by TLS alone. */
  tls: boolean
}

/** A year, in seconds. */
const hstsMaxAge = 31_536_000

/**
 * Headers that keep browsers from making anything of our answers but what they are: JSON, for
 * programs. An HTML page has to say what it needs, in the route's `helmet` option
 * (`{ helmet: { contentSecurityPolicy: { directives: … } } }`).
 *
 * To be registered before any hook that may answer.
 */
export const securityHeaders = plugin(
  async (app: FastifyInstance, { tls }: SecurityHeadersOptions) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      },
      crossOriginResourcePolicy: { policy: 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
      // RFC 6797 §7.2: not over a connection without TLS. A proxy that ends TLS says it itself.
      strictTransportSecurity: tls ? { maxAge: hstsMaxAge, includeSubDomains: false } : false,
      xFrameOptions: { action: 'deny' },
      // Of browsers that are no more, or of pages that we do not serve.
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

/** The same for answers that are given before any hook runs: to what is no request. */
export const answerHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}
