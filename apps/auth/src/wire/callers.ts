import type { FastifyInstance } from 'fastify'
import { allow } from '../callers/allow.js'
import { authenticateClient } from '../callers/authenticate-client.js'
import { admitCallers } from '../callers/callers.js'
import { limitRequests } from '../callers/limit-requests.js'
import type { Config } from '../config.js'
import type { OpenedFeed } from '../feed/open-feed.js'
import type { Registry } from '../registry/index.js'

/** Authenticates and limits the callers of routes. */
export async function authenticateCallers(
  app: FastifyInstance,
  registry: Registry,
  { watch, part }: OpenedFeed,
  config: Config,
): Promise<void> {
  await app.register(limitRequests, {
    registry,
    perAddress: config.ADDRESS_REQUESTS_PER_MINUTE,
    perIdentity: config.IDENTITY_REQUESTS_PER_MINUTE,
  })
  await app.register(admitCallers, {
    registry,
    jwt: app.tokens,
    watch,
    lease: (partition) => part.lease(partition),
  })
  await app.register(allow, { callers: app.callers, jwt: app.tokens })
  await app.register(authenticateClient, {
    registry,
    issuer: config.ISSUER,
    failuresPerMinute: config.TOKEN_FAILURES_PER_MINUTE,
  })
}
