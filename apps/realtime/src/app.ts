import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import rateLimit from '@fastify/rate-limit'
import type { InfoNode } from '@portcullis/contracts/server-api'
import { deadlineOf, type Gate, GateError, gate } from '@portcullis/gate'
import { disconnectCodes } from '@portcullis/protocol'
import {
  closing,
  documentation,
  health,
  internal,
  metrics,
  problems,
  securityHeaders,
  warnOfProxy,
} from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import { Broker } from './broker/broker.js'
import type { Config } from './config/config.js'
import { Connection } from './connection/connection.js'
import { Lobby } from './connection/lobby.js'
import type { Channels, Node } from './connection/node.js'
import { channelsOf } from './connection/subscriptions/server-channels.js'
import { Deadline } from './connection/timing/deadline.js'
import { FlushQueue } from './connection/timing/flush-queue.js'
import { Heartbeat } from './connection/timing/heartbeat.js'
import type { Tokens } from './connection/tokens.js'
import { HttpHandlers } from './handlers/http-handlers.js'
import { carryOut } from './hub/apply-order.js'
import { Hold } from './hub/hold.js'
import { Hub } from './hub/hub.js'
import type { Permit } from './hub/permit.js'
import { StreamWatch } from './hub/watch-streams.js'
import { measure, newCounts } from './metrics/register-metrics.js'
import type { PublishIntoOptions } from './routes/api/commands/publish-into.js'
import { ApiLimits } from './routes/api/limits.js'
import { securitySchemes } from './routes/api/security.js'
import { serverApi } from './routes/api/server-api.js'
import { connectPath, connectRoute } from './routes/connect/connect.js'
import { describeSocket } from './routes/connect/describe-socket.js'
import { limitRefusals } from './routes/refusals/limit-refusals.js'
import { BulkReads } from './scheduling/bulk-reads.js'
import { FairQueue } from './scheduling/fair-queue.js'
import { acceptWebSockets, closeMs } from './server/accept-web-sockets.js'
import { closeSockets, trackConnections } from './server/close-sockets.js'
import { createServer } from './server/create-server.js'

const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string }

/** How often Redis is asked for a sign of life; a Redis that hangs is noticed within twice that. */
const redisProbeMs = 2000
/** How long clients count as present after their node has last said so; it does three times as often. */
const presenceTtlMs = 60_000
/** How often each stream is compared with its history: what is lost behind the last one leaves no gap. */
const verifyMs = 25_000
/** How soon it is compared again when Redis could not be asked. */
const verifyAgainMs = 1000
/** How long an idempotency key is remembered. */
const idempotencySeconds = 300

/** Publications of the server API on their way to Redis, which takes each of them in some microseconds. */
const publishing = { maxInFlight: 512, maxPerCaller: 128, maxSliceMs: 4 }

/** Builds a realtime node. It listens nowhere yet. @throws BrokerError, GateError, RedisUrlError */
export async function build(config: Config): Promise<FastifyInstance> {
  const uid = randomUUID()
  const started = Date.now()
  const counts = newCounts()
  const app = createServer(config)
  const log = app.log

  const namespaces = config.NAMESPACES
  const hub: Hub = new Hub({
    backplane: {
      join: (channel) => broker.channels.join(channel),
      leave: (channel) => broker.channels.leave(channel),
      read: (channel, since) => reads.stream(channel, since),
      positions: (channels) => broker.streams.positions(channels),
      disown: (channel, position) => broker.streams.disown(channel, position),
    },
    hasStream: (channel) => namespaces.of(channel).recovery,
  })
  let streams: StreamWatch | undefined
  const describe = (): InfoNode => ({
    uid,
    name: config.NODE_NAME,
    version,
    num_clients: hub.counts.clients,
    num_users: hub.counts.users,
    num_subs: hub.counts.subscriptions,
    num_channels: hub.counts.channels,
    uptime: Math.floor((Date.now() - started) / 1000),
  })
  const broker: Broker = await Broker.open({
    url: config.REDIS_URL,
    prefix: config.REDIS_PREFIX,
    partitions: config.PARTITIONS,
    uid,
    probeMs: redisProbeMs,
    presenceTtlMs,
    permit: async (send) => send(deadlineOf(app.gate.lease)),
    describe,
    onPublication: (channel, encoded, position) => {
      counts.received += 1
      hub.deliver(channel, encoded, position)
    },
    onPresence: (channel, kind, info) => {
      hub.announce(channel, kind, info)
    },
    onRestored: () => streams?.look(),
    onOrder: (order) => {
      carryOut(hub, order, (error) => log.warn({ err: error, order: order.type }, 'order'))
    },
    onError: (error) => log.warn({ err: error }, 'redis'),
  })
  const reads = new BulkReads({
    broker,
    maxPublications: config.MAX_HISTORY_PUBLICATIONS,
    maxBytes: config.MAX_ANSWER_BYTES,
  })
  streams = new StreamWatch({
    hub,
    audit: () => broker.streams.disownLost(),
    everyMs: verifyMs,
    retryMs: verifyAgainMs,
  })

  const readsRegistry = await broker.readsRegistry()
  if (readsRegistry) {
    log.warn(
      "this node's Redis user can read auth's registry: whoever takes over the node can become administrator; give auth and the nodes a Redis, or a Redis user, of their own (docs/security.md)",
    )
  }

  const upgrading = new Set<Socket>()
  const connections = trackConnections(app.server)
  await app.register(internal, { port: config.INTERNAL_PORT })
  await app.register(securityHeaders, { tls: config.TLS_CERT !== undefined })
  await app.register(warnOfProxy, { trusted: config.TRUST_PROXY })
  await app.register(closing, { answers: ['/health', '/ready', '/metrics'] })
  await app.register(problems)
  await app.register(metrics)
  await acceptWebSockets(app, config, () =>
    closeSockets(app, { hub, connections, lobby, deadlineMs: config.CLOSE_DEADLINE_MS }),
  )
  await app.register(rateLimit, { global: false })
  const refusals = limitRefusals(app, {
    perMinute: config.REFUSALS_PER_MINUTE,
    isGuarded: ({ routeOptions: { url } }) =>
      url === connectPath || (url?.startsWith('/api/') ?? false),
    onLimited: () => {
      counts.limited.refusals += 1
    },
  })
  await app.register(gate, {
    authUrl: config.AUTH_URL,
    credentials: { identity: config.IDENTITY, registrationCode: config.REGISTRATION_CODE },
    node: config.NODE_NAME,
    tokenInQuery: config.TOKEN_IN_QUERY,
    tls: { ca: config.AUTH_CA, cert: config.AUTH_CERT, key: config.AUTH_KEY },
    ...(config.PUBLIC_URL === undefined ? {} : { url: config.PUBLIC_URL }),
  })
  await app.register(health, {
    // A supervisor ends a process whose name a later one has taken: this one is told of no revocation.
    alive: () => app.gate.replaced(),
    checks: {
      node: () => (app.closing ? 'closing' : undefined),
      auth: () => app.gate.ready(),
      redis: () => broker.problem(),
    },
    ...(readsRegistry ? { warnings: { redis: "its user can read auth's registry" } } : {}),
  })

  const optionsOf = (channel: string) => namespaces.of(channel)
  const tokens = tokensOf(app.gate)
  const publish = async (
    channel: string,
    publication: Buffer,
    permit: Permit,
    { idempotencyKey, skipHistory }: PublishIntoOptions = {},
  ) => {
    const { historySize: size, historyTtlSeconds: ttlSeconds } = optionsOf(channel)
    const position = await broker.streams.publish(channel, publication, permit, {
      ...(size > 0 && skipHistory !== true ? { history: { size, ttlSeconds } } : {}),
      ...(idempotencyKey === undefined
        ? {}
        : { idempotency: { key: idempotencyKey, ttlSeconds: idempotencySeconds } }),
    })
    counts.published += 1
    return position
  }
  const channels: Channels = {
    publish,
    history: (channel, query, reader) => reads.history(channel, query, reader),
    position: (channel) => reads.position(channel),
    presence: (channel, reader) => reads.presence(channel, reader),
    presenceStats: (channel, reader) => reads.presenceStats(channel, reader),
    enter: (channel, info, permit) => broker.presence.enter(channel, info, permit),
    leave: (channel, info) => broker.presence.leave(channel, info),
    announceJoin: (channel, info, permit) => broker.channels.announceJoin(channel, info, permit),
    announceLeave: (channel, info) => broker.channels.announceLeave(channel, info),
  }
  const handlers = new HttpHandlers({
    endpoints: config.HANDLERS,
    secret: config.HANDLER_SECRET,
    timeoutMs: config.HANDLER_TIMEOUT_MS,
    maxCalls: config.HANDLER_CALLS,
    maxAnswerBytes: config.HANDLER_ANSWER_BYTES,
    onFailing: (handler, error) => log.warn({ handler, err: error }, 'handler fails'),
    onAnswering: (handler) => log.info({ handler }, 'handler answers again'),
  })
  const hold = new Hold({ lease: app.gate.lease, hub, graceMs: config.LEASE_GRACE_MS })
  const node: Node = {
    name: config.NODE_NAME,
    version: `Portcullis ${version}`,
    pingIntervalMs: config.PING_INTERVAL_MS,
    limits: {
      commandsPerSecond: config.COMMANDS_PER_SECOND,
      bytesPerSecond: config.BYTES_PER_SECOND,
      burstSeconds: config.RATE_BURST_SECONDS,
      connectionsPerUser: config.MAX_CONNECTIONS_PER_USER,
      channelsPerConnection: config.MAX_CHANNELS,
      pendingCommands: 512,
      handlerCalls: 32,
      sendBufferBytes: config.SEND_BUFFER_BYTES,
      answerBytes: config.MAX_ANSWER_BYTES,
    },
    hub,
    tokens,
    hold,
    flushQueue: new FlushQueue(),
    heartbeat: new Heartbeat({
      pingIntervalMs: config.PING_INTERVAL_MS,
      pongTimeoutMs: config.PONG_TIMEOUT_MS,
    }),
    connectDeadline: new Deadline(config.CONNECT_DEADLINE_MS, (late) =>
      late.end(disconnectCodes.stale),
    ),
    optionsOf,
    channels,
    handlers,
    channelsFor: (subject) => channelsOf(config.SERVER_SUBSCRIPTIONS, subject),
    onClosed: ({ id, identity, subject }, { code, reason }) => {
      counts.disconnects.set(code, (counts.disconnects.get(code) ?? 0) + 1)
      log.debug({ client: id, identity, subject, code, reason }, 'closed')
    },
    onLimited: (_connection, commands) => {
      counts.limited.commands += commands
    },
    onFault: ({ id }, error) => log.error({ client: id, err: error }, 'connection failed'),
  }
  const lobby =
    config.ADMISSION === 'connect'
      ? new Lobby({
          deadlineMs: config.CONNECT_DEADLINE_MS,
          enter: (transport, codec, grant, token) =>
            new Connection({
              node,
              transport,
              codec,
              grant,
              isAdmitted: (other) => other === token,
            }),
        })
      : undefined
  measure(app.metrics, {
    hub,
    counts,
    handlers,
    gate: app.gate,
    unauthenticated: () => lobby?.size ?? 0,
    garbage: () => broker.malformedMessages,
  })

  connectRoute(app, {
    node,
    lobby,
    maxUnauthenticated: config.MAX_UNAUTHENTICATED,
    refusals,
    allowedOrigins: config.ALLOWED_ORIGINS,
    maxConnections: config.MAX_CONNECTIONS,
    maxAdmissions: config.MAX_ADMISSIONS,
    closeMs: closeMs(config),
    upgrading,
  })
  await app.register(documentation, {
    title: 'Portcullis realtime',
    description:
      'The server API of a node. What a caller may do the scopes of its token say; errors of commands come with HTTP 200, as `error`, with the codes of the client protocol.',
    version,
    securitySchemes,
    securityOf: ({ schema }) => schema?.security ?? [],
    asyncapi: describeSocket(publicUrl(config), version),
  })
  await app.register(async (api) => {
    serverApi(api, {
      ...channels,
      publish: (channel, publication, caller, options) =>
        publish(channel, publication, tokens.permit(caller), options),
      optionsOf,
      nodes: {
        order: (order, caller) => broker.control.order(order, tokens.permit(caller)),
        info: () => broker.control.info(),
        removeHistory: (channel, caller) =>
          broker.streams.removeHistory(channel, tokens.permit(caller)),
      },
      channelNames: (pattern, reader) => reads.channelNames(pattern, reader),
      limits: new ApiLimits({
        rates: {
          commandsPerSecond: config.API_COMMANDS_PER_SECOND,
          bytesPerSecond: config.API_BYTES_PER_SECOND,
          burstSeconds: config.RATE_BURST_SECONDS,
        },
        publishing: new FairQueue(publishing),
        onLimited: () => {
          counts.limited.requests += 1
        },
      }),
    })
  })

  app.addHook('onClose', async () => {
    hold.stop()
    streams?.stop()
    lobby?.stop()
    node.heartbeat.stop()
    node.connectDeadline.stop()
    await handlers.close()
    await broker.close()
  })
  return app
}

/** Where clients reach this node, as far as it knows. */
function publicUrl({ PUBLIC_URL, HOST, PORT }: Config): string {
  const said = PUBLIC_URL ?? ''
  return URL.canParse(said) ? said : `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`
}

/** The gate as connections see it. */
function tokensOf(watch: Gate): Tokens {
  return {
    hold: (grant, onEnd) => watch.hold(grant, onEnd),
    permit: (grant) => (send, isOver) => watch.effect(grant, send, isOver),
    introspect: async (token) => {
      try {
        return await watch.introspect(token)
      } catch (error) {
        if (!(error instanceof GateError)) {
          throw error
        }
        return error.code === 'auth_unavailable' ? 'unavailable' : 'inactive'
      }
    },
  }
}
