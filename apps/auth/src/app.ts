import { Durations, metrics } from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import { recordOwnActs } from './audit/record-own-acts.js'
import type { Config } from './config.js'
import { feedRegistry } from './feed/registry.js'
import { jwt } from './tokens/jwt.js'
import { version } from './version.js'
import { setUpAdministrator } from './wire/administrator.js'
import { openAudit } from './wire/audit.js'
import { authenticateCallers } from './wire/callers.js'
import { decorate } from './wire/decorations.js'
import { openEvents } from './wire/events.js'
import { acceptNodes, fenceNodes, followFeed, openInquiries, watchReceipts } from './wire/feed.js'
import { followKeyChanges, openKeys } from './wire/keys.js'
import { openListener, openRedis, openReplicaWaits, openTokenRegistry } from './wire/redis.js'
import { handleRequests } from './wire/requests.js'
import { serveRoutes } from './wire/routes.js'
import { newServer, openServer } from './wire/server.js'

/**
 * Builds auth: connections to Redis, registry, keys, feed and routes. Closing the app closes everything
 * that it opened, in reverse order.
 *
 * @param logs - where log lines go; by default standard output
 * @throws RegistryError, KeySetError, RedisUrlError when it cannot work with this configuration
 */
export async function buildApp(config: Config, logs?: DestinationStream): Promise<FastifyInstance> {
  const app = newServer(config, logs)
  try {
    await wire(app, config)
    return app
  } catch (error) {
    await app.close()
    throw error
  }
}

async function wire(app: FastifyInstance, config: Config): Promise<void> {
  await openServer(app, config)

  const redisCommands = new Durations()
  const redis = await openRedis(app, config, (ms) => redisCommands.observe(ms))
  const registry = await openTokenRegistry(app, redis, config)
  const keys = await openKeys(redis, config)
  const administrator = await setUpAdministrator(app, registry, config)
  const waiting = openReplicaWaits(app, registry, redis)
  const listener = await openListener(app, registry, redis)
  const sources = { registry, listener }
  followKeyChanges(app, keys, sources)

  const receiptWatch = watchReceipts(app, sources)
  const feed = await followFeed(app, sources)
  const inquiries = openInquiries(app, feed.hub, sources)
  const nodes = feedRegistry(registry)

  await handleRequests(app, registry)
  await acceptNodes(app, feed.hub, config)
  await app.register(jwt, { keys, issuer: config.ISSUER, audience: config.AUDIENCE })
  await openAudit(app, sources, config)
  await authenticateCallers(app, registry, feed, config)
  await app.register(metrics, { service: 'auth', version })
  decorate(
    app,
    {
      registry,
      ownPart: feed.part,
      receiptWatch,
      waiting,
      feedHub: feed.hub,
      feedRegistry: nodes,
      inquiries,
      redisCommands,
    },
    config,
  )

  await recordOwnActs(app.auditLog.log, { keys, administrator })
  fenceNodes(app, nodes, config)
  openEvents(app, config)
  await serveRoutes(app, { registry, keys, feed }, config)
}
