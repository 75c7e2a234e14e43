import { deadlineOf } from '@portcullis/gate'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config/config.js'
import { channelsOf } from './connection/subscriptions/server-channels.js'
import { newCounts } from './metrics/counts.js'
import { observeNode } from './metrics/observe-node.js'
import { registerMetrics } from './metrics/register-metrics.js'
import { connectRoute } from './routes/connect/connect.js'
import { Places } from './routes/connect/places.js'
import { fallbackRoutes } from './routes/fallback/fallback.js'
import { acceptWebSockets, closeMs } from './server/accept-web-sockets.js'
import { closeSockets, trackConnections } from './server/close-sockets.js'
import { createServer } from './server/create-server.js'
import { Sessions } from './sessions/sessions.js'
import { registerAdmission } from './wire/admission.js'
import { openBackplane } from './wire/backplane.js'
import { wireChannels } from './wire/channels.js'
import { openEvents } from './wire/events.js'
import { openHandlers } from './wire/handlers.js'
import { openLobby } from './wire/lobby.js'
import { stopNode, wireNode } from './wire/node.js'
import { nodeSettings } from './wire/node-settings.js'
import { registerServerApi } from './wire/server-api.js'
import { registerDocumentation, registerHealth, registerService } from './wire/service.js'
import { wireTokens } from './wire/tokens.js'

/** Time for the last events when sockets have used up the deadline, in milliseconds. */
const minFlushMs = 500

/** Builds a realtime node; it does not listen yet. @throws BrokerError, GateError, RedisUrlError */
export async function buildApp(config: Config): Promise<FastifyInstance> {
  const counts = newCounts()
  const app = createServer(config)
  const connections = trackConnections(app.server)
  const sessions = new Sessions()
  const backplane = await openBackplane({
    config,
    counts,
    log: app.log,
    permit: async (send) => send(deadlineOf(app.gate.lease)),
    sessions,
  })
  const { uid, hub, broker, reads, optionsOf, streamWatch, onPublishing } = backplane

  await registerService(app, config)
  let closeBy = 0
  await acceptWebSockets(app, config, () => {
    closeBy = performance.now() + config.CLOSE_DEADLINE_MS
    return closeSockets(app, { hub, connections, lobby, deadlineMs: config.CLOSE_DEADLINE_MS })
  })
  const refusals = await registerAdmission(app, config, counts)
  await registerHealth(app, broker)

  const tokens = wireTokens(app.gate)
  const onPublished = () => {
    counts.published += 1
  }
  const channels = wireChannels({ broker, reads, optionsOf, onPublishing, onPublished })
  const handlers = openHandlers(config, app.log, counts.timings)
  const events = openEvents(config, app.log)
  const node = wireNode(nodeSettings(config), {
    hub,
    lease: app.gate.lease,
    tokens,
    channels,
    handlers,
    events,
    optionsOf,
    channelsFor: (subject) => channelsOf(config.SERVER_SUBSCRIPTIONS, subject),
    ...observeNode(counts, app.log),
  })
  const lobby = openLobby(config, node)
  registerMetrics(app.metrics, {
    hub,
    counts,
    traffic: node.traffic,
    handlers,
    events,
    gate: app.gate,
    unauthenticated: () => lobby.size,
    streams: () => sessions.counts,
    malformedMessages: () => broker.malformedMessages,
  })

  const places = new Places({
    open: () => hub.size + lobby.size,
    maxConnections: config.MAX_CONNECTIONS,
    maxAdmissions: config.MAX_ADMISSIONS,
  })
  const waysIn = { config, node, places, refusals, closeMs: closeMs(config) }
  connectRoute(app, { ...waysIn, lobby: config.ADMISSION === 'connect' ? lobby : undefined })
  await fallbackRoutes(app, {
    ...waysIn,
    lobby,
    sessions,
    uid,
    relay: (address, commands) => broker.relay.send(address, commands),
  })
  await registerDocumentation(app, config)
  await registerServerApi(app, { config, counts, channels, broker, reads, tokens, optionsOf })

  app.addHook('onClose', async () => {
    stopNode(node)
    streamWatch.stop()
    lobby.stop()
    await handlers.close()
    await events?.close(Math.max(minFlushMs, closeBy - performance.now()))
    await broker.close()
  })
  return app
}
