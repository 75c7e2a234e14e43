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
 * that serves HTML sets a `content-security-policy` of its own, which replaces this one.
 *
 * Register this before any hook that may answer.
 */
export const securityHeaders = plugin(
  async (app: FastifyInstance, { tls }: SecurityHeadersOptions) => {
    const headers = {
      ...fixedHeaders,
      // RFC 6797 §7.2: not without TLS. A proxy that terminates TLS sets its own header.
      ...(tls ? { 'strict-transport-security': `max-age=${hstsMaxAge}` } : {}),
    }
    app.addHook('onRequest', (_request, reply, done) => {
      reply.headers(headers)
      done()
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
