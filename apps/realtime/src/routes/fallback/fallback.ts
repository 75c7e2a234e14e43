import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config/config.js'
import { allowOrigins } from './allow-origins.js'
import { type EmulationRouteOptions, emulationRoute } from './emulation.js'
import { eventStreamRoute } from './event-stream.js'
import { httpStreamRoute } from './http-stream.js'
import { openStreams, type StreamsOptions } from './open-streams.js'

export interface FallbackOptions extends StreamsOptions, EmulationRouteOptions {
  config: StreamsOptions['config'] &
    Pick<Config, 'ALLOWED_ORIGINS' | 'FALLBACK_TRANSPORTS' | 'MAX_FRAME_BYTES'>
}

/**
 * The ways in for clients whose network blocks WebSockets: a stream of messages in an HTTP response, and
 * `POST /emulation` for the client's commands. A browser asks with a preflight whether a page may use them.
 */
export async function fallbackRoutes(
  app: FastifyInstance,
  options: FallbackOptions,
): Promise<void> {
  const { FALLBACK_TRANSPORTS: kinds, ALLOWED_ORIGINS } = options.config
  if (kinds.length === 0) {
    return
  }
  await app.register(async (routes) => {
    // The bodies are frames of commands, which the codecs read.
    routes.removeAllContentTypeParsers()
    routes.addContentTypeParser(
      ['application/json', 'application/octet-stream'],
      { parseAs: 'buffer' },
      (_request, body, done) => done(null, body),
    )
    const preflight = allowOrigins(routes, ALLOWED_ORIGINS)
    const open = openStreams(routes, options)
    if (kinds.includes('http_stream')) {
      preflight(httpStreamRoute(routes, open, options.config))
    }
    if (kinds.includes('sse')) {
      eventStreamRoute(routes, open)
    }
    preflight(emulationRoute(routes, options))
  })
}
