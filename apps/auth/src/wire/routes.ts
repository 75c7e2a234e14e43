import { documentation, health } from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'
import type { OpenedFeed } from '../feed/open-feed.js'
import type { KeySet } from '../keys/index.js'
import { type Registry, registryCheck } from '../registry/index.js'
import { describeFeed } from '../routes/feed/describe.js'
import { routes } from '../routes/index.js'
import { methodNotAllowed } from '../routes/method-not-allowed.js'
import { securityOf, securitySchemes } from '../routes/security.js'
import { version } from '../version.js'

interface ServedState {
  registry: Registry
  keys: KeySet
  feed: OpenedFeed
}

/** Registers the routes, their descriptions, and the health checks. */
export async function serveRoutes(
  app: FastifyInstance,
  { registry, keys, feed }: ServedState,
  config: Config,
): Promise<void> {
  // Records every route that is registered after this line.
  const refuseOtherMethods = methodNotAllowed(app)
  await app.register(documentation, {
    title: 'Portcullis auth',
    description:
      'Registers identities, and issues, introspects and revokes tokens. Errors of `/oauth/…` follow RFC 6749 §5.2, all others are RFC 9457 problems.',
    version,
    securitySchemes,
    securityOf,
    asyncapi: describeFeed(config.ISSUER, version),
  })
  await app.register(health, {
    checks: {
      instance: () => (app.leaving ? 'closing' : undefined),
      redis: registryCheck(registry),
      keys: () => keys.ready(),
      feed: () => feed.ready(),
      lease: () => feed.part.problem,
    },
  })
  await app.register(routes, {
    feed: {
      helloMs: config.FEED_HELLO_MS,
      pingIntervalMs: config.FEED_PING_INTERVAL_MS,
    },
  })
  refuseOtherMethods()
}
