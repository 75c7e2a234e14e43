import { randomUUID } from 'node:crypto'
import rateLimit from '@fastify/rate-limit'
import websocket from '@fastify/websocket'
import {
  type Commands,
  close,
  connectCommands,
  followMasters,
  type Masters,
} from '@portcullis/redis'
import {
  answerClientError,
  answerFrameworkError,
  closing,
  documentation,
  health,
  loggerOptions,
  metrics,
  problems,
  securityHeaders,
  serverTls,
} from '@portcullis/service'
import Fastify, { type FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import { administrator } from './administrator.js'
import { openAuditLog } from './audit/open-log.js'
import { record } from './audit/record.js'
import { allow } from './callers/allow.js'
import { client } from './callers/client.js'
import { limitRequests } from './callers/limit-requests.js'
import type { Config } from './config.js'
import { AuthError, translate } from './errors.js'
import type { Events } from './events/context.js'
import { Deliverer } from './events/deliverer.js'
import { eventMeters } from './events/meters.js'
import { Poller } from './events/poller.js'
import { queues } from './events/queues.js'
import { Fencer } from './feed/fencer.js'
import { follow } from './feed/follow.js'
import type { FeedHub } from './feed/hub.js'
import { Inquiries } from './feed/inquiries.js'
import { feedRegistry } from './feed/registry.js'
import { followKeys, openKeySet } from './keys/index.js'
import { meters } from './meters.js'
import {
  type AuditRetention,
  answers,
  appendAudit,
  auditPartition,
  countPending,
  feedSource,
  type Listener,
  leaseTimes,
  listen,
  openAuditWatch,
  openReceiptWatch,
  openRegistry,
  openWaiting,
  type Registry,
  slotsOf,
} from './registry/index.js'
import { describeFeed } from './routes/feed/describe.js'
import { routes } from './routes/index.js'
import { methodNotAllowed } from './routes/method-not-allowed.js'
import { securityOf, securitySchemes } from './routes/security.js'
import { validatorCompiler } from './routes/validate.js'
import { jwt } from './tokens/jwt.js'

/** Bytes of a body, and of a feed message; batches of introspections have their own bound. */
const bodyLimit = 64 * 1024
const feedMessageLimit = 256 * 1024

/**
 * The whole of auth, wired: connections to Redis, registry, keys, feed, routes. Closing the app
 * closes everything that it opened.
 *
 * @param logs - where log lines go; by default standard output
 * @throws RegistryError, KeySetError, RedisUrlError when it cannot work with this configuration
 */
export async function buildApp(config: Config, logs?: DestinationStream): Promise<FastifyInstance> {
  const logger = loggerOptions('auth', config.LOG_LEVEL)
  const tls = serverTls(config)
  const app = Fastify({
    ...(tls === undefined ? {} : { https: tls }),
    logger: logs === undefined ? logger : { ...logger, stream: logs },
    bodyLimit,
    genReqId: () => randomUUID(),
    // Who may say where a request comes from; a direct peer may not.
    trustProxy: config.TRUST_PROXY ?? false,
    forceCloseConnections: 'idle',
    // To send a request, not to answer it; a slow sender must not hold a connection for ever.
    requestTimeout: 30_000,
    // An identity of 128 characters, each percent-encoded.
    routerOptions: { maxParamLength: 384 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    // `closing` says it better.
    return503OnClosing: false,
  })
  try {
    await wire(app, config)
    return app
  } catch (error) {
    await app.close()
    throw error
  }
}

async function wire(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(securityHeaders, { tls: config.TLS_CERT !== undefined })
  await app.register(closing, {
    answers: ['/health', '/ready', '/metrics'],
    bodyOf: ({ routeOptions: { url } }) =>
      url?.startsWith('/oauth/')
        ? {
            error: 'temporarily_unavailable',
            error_description: 'this instance is closing; try again, at another',
          }
        : undefined,
  })
  const { commands, masters } = await openConnections(app, config)
  const { REDIS_PREFIX: prefix } = config
  const registry = await openRegistry({
    redis: commands,
    prefix,
    partitions: config.PARTITIONS,
    feedMaxLength: config.FEED_MAX_LENGTH,
    receiptTtlSeconds: config.RECEIPT_TTL_SECONDS,
    leaseMs: config.LEASE_MS,
    wrongCodes: {
      allowed: config.WRONG_CODES_ALLOWED,
      waitMs: config.WRONG_CODE_WAIT_MS,
      maxWaitMs: config.WRONG_CODE_MAX_WAIT_MS,
    },
    onSettled: (state, afterMs) => app.meters.settled(state, afterMs),
  })
  const keys = await openKeySet({
    redis: commands,
    prefix,
    secret: config.KEY_ENCRYPTION_SECRET,
    previous: config.KEY_ENCRYPTION_SECRET_PREVIOUS,
    algorithm: config.SIGNING_ALGORITHM,
    rotationDays: config.KEY_ROTATION_DAYS,
  })
  await ensureAdministrator(app, registry, config)

  const waiting = openWaiting(registry, masters)
  app.addHook('onClose', () => waiting.close())
  const listener = listen(
    masters,
    [
      registry.keys.news,
      registry.keys.acknowledgements,
      registry.keys.keyNews,
      registry.keys.auditNews,
      registry.keys.inquiries,
      registry.keys.answers,
    ],
    slotsOf(registry),
  )
  app.addHook('onClose', () => listener.close())
  await listener.heard
  const followingKeys = followKeys(keys, {
    listener,
    channel: registry.keys.keyNews,
    onError: (err) => app.log.warn({ err }, 'the signing keys cannot be read'),
  })
  app.addHook('onClose', () => followingKeys.close())
  const receiptWatch = openReceiptWatch(registry, listener)
  // Before the server stops: it would wait for those who wait for receipts.
  app.addHook('preClose', async () => receiptWatch.close())
  const following = await follow({
    source: feedSource(registry, listener),
    onError: (err) => app.log.warn({ err }, 'the feed cannot be read'),
  })
  app.addHook('onClose', () => following.close())
  const nodes = feedRegistry(registry)
  const inquiries = new Inquiries({
    registry,
    hub: following.hub,
    listener,
    onError: (err) => app.log.warn({ err }, 'an answer of a node is lost'),
  })
  app.addHook('preClose', async () => inquiries.close())

  await openToRequests(app, registry)
  await openToNodes(app, following.hub, config)
  await app.register(jwt, { keys, issuer: config.ISSUER, audience: config.AUDIENCE })
  await openAudit(app, registry, listener, config)
  await app.register(limitRequests, {
    perAddress: config.ADDRESS_REQUESTS_PER_MINUTE,
    perIdentity: config.IDENTITY_REQUESTS_PER_MINUTE,
  })
  await app.register(allow, { registry, jwt: app.tokens })
  await app.register(client, {
    registry,
    issuer: config.ISSUER,
    failuresPerMinute: config.TOKEN_FAILURES_PER_MINUTE,
  })
  await app.register(metrics)
  app.decorate('registry', registry)
  app.decorate('receiptWatch', receiptWatch)
  app.decorate('waiting', waiting)
  app.decorate('revocationReplicas', config.REVOCATION_REPLICAS)
  app.decorate('feedHub', following.hub)
  app.decorate('feedRegistry', nodes)
  app.decorate('inquiries', inquiries)
  app.decorate(
    'meters',
    meters(app.metrics, {
      feed: () => following.hub,
      countPending: () => countPending(registry),
    }),
  )
  const fencer = new Fencer({
    registry: nodes,
    pollMs: leaseTimes(config.LEASE_MS).pollMs,
    onFenced({ node, instance, partition }) {
      app.log.warn({ node, instance, partition }, 'node fenced: its lease is out')
      // It is fenced in each partition by itself, all in the same moment or nearly.
      if (partition === 0) app.meters.nodesFenced.inc()
    },
    onError: (err) => app.log.debug({ err }, 'the leases cannot be read'),
  })
  app.addHook('onClose', () => fencer.close())
  app.decorate('defaultTtlSeconds', config.TOKEN_TTL_SECONDS)
  tellOthers(app, config)

  const refuseOtherMethods = methodNotAllowed(app)
  await app.register(documentation, {
    title: 'Portcullis auth',
    description:
      'Registers identities, issues tokens, introspects and revokes them. Errors of `/oauth/…` are those of RFC 6749 §5.2, all others RFC 9457 problems.',
    version: '0.1.0',
    securitySchemes,
    securityOf,
    asyncapi: describeFeed(config.ISSUER),
  })
  await app.register(health, {
    checks: {
      instance: () => (app.closing ? 'closing' : undefined),
      redis: () => answers(registry),
      keys: () => keys.ready(),
      feed: () => following.ready(),
    },
  })
  await app.register(routes, {
    feed: {
      helloMs: config.FEED_HELLO_MS,
      pingIntervalMs: config.FEED_PING_INTERVAL_MS,
      ackMs: leaseTimes(config.LEASE_MS).ackMs,
    },
  })
  refuseOtherMethods()
}

/** What holds for every request: its schema, its errors, what may be kept of its answer. */
async function openToRequests(app: FastifyInstance, registry: Registry): Promise<void> {
  app.setValidatorCompiler(validatorCompiler)
  // Answers are made by us to the shape of their schemas, which describe and do not filter.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.addHook('onRequest', async (_request, reply) => {
    // Codes and tokens are in many answers (RFC 6749 §5.1); what may be kept says so itself.
    reply.header('cache-control', 'no-store')
  })
  endConnectionsWhenClosing(app)
  await app.register(problems, { translate })
  await app.register(rateLimit, {
    global: false,
    redis: registry.redis,
    nameSpace: registry.keys.limits,
  })
}

/** Before whatever learns who makes a request. */
async function openAudit(
  app: FastifyInstance,
  registry: Registry,
  listener: Listener,
  config: Config,
): Promise<void> {
  const retention: AuditRetention = {
    maxLength: config.AUDIT_MAX_LENGTH,
    maxAgeMs: config.AUDIT_RETENTION_DAYS * 86_400_000,
  }
  const log = openAuditLog({
    append: (partition, records) => appendAudit(registry, retention, partition, records),
    partitionOf: (entry) => auditPartition(entry, registry.partitions),
    onLost(entries, cause) {
      app.meters.auditEntriesLost.inc(entries.length)
      for (const entry of entries)
        app.log.error({ entry, err: cause }, 'not in the audit log: Redis did not take it')
    },
  })
  const watch = openAuditWatch(registry, listener)
  app.addHook('preClose', async () => watch.close())
  app.addHook('onClose', () => log.settled())
  await app.register(record, { log })
  app.decorate('auditLog', { log, retention, watch })
}

/** WebSockets: one route has one, and closing sends every node away in time. */
async function openToNodes(app: FastifyInstance, hub: FeedHub, config: Config): Promise<void> {
  await app.register(websocket, {
    options: { maxPayload: feedMessageLimit, perMessageDeflate: false },
    preClose(done) {
      // Half of the time that closing may take; the rest is for requests and Redis.
      hub.close(config.CLOSE_DEADLINE_MS / 2).then(() => done(), done)
    },
  })
  app.addHook('onRequest', async (request) => {
    if (request.ws && request.routeOptions.url !== '/v1/feed')
      throw new AuthError('invalid_request', 'there is no WebSocket here; the feed is at /v1/feed')
  })
}

/** Security events: what waits for receivers is delivered as long as this process lives. */
function tellOthers(app: FastifyInstance, config: Config): void {
  const { registry } = app
  const events: Events = {
    registry,
    jwt: app.tokens,
    hub: app.feedHub,
    settings: {
      secrets: {
        secret: config.KEY_ENCRYPTION_SECRET,
        previous: config.KEY_ENCRYPTION_SECRET_PREVIOUS,
      },
      httpHosts: (config.EVENT_HTTP_HOSTS ?? '').split(',').map((host) => host.trim()),
      timeoutMs: config.EVENT_TIMEOUT_MS,
      retryMs: config.EVENT_RETRY_MS,
      maxAgeMs: config.EVENT_MAX_AGE_SECONDS * 1000,
      maxQueued: config.EVENT_QUEUE_LENGTH,
      pollWaitMs: config.EVENT_POLL_WAIT_MS,
    },
    meters: eventMeters(app.metrics, () => queues(registry)),
    onLost: ({ id }) =>
      app.log.warn({ receiver: id }, 'the feed was trimmed or went back: security events are lost'),
  }
  const poller = new Poller(events)
  // Before the server stops: it would wait for those who wait for events.
  app.addHook('preClose', async () => poller.close())
  const deliverer = new Deliverer(events, (err) =>
    app.log.warn({ err }, 'security events cannot be delivered'),
  )
  app.addHook('onClose', () => deliverer.close())
  app.decorate('events', events)
  app.decorate('eventPoller', poller)
}

async function ensureAdministrator(
  app: FastifyInstance,
  registry: Registry,
  config: Config,
): Promise<void> {
  const codeFile = await administrator(registry, {
    identity: config.ADMIN_IDENTITY,
    registrationCode: config.ADMIN_REGISTRATION_CODE,
    codeFile: config.ADMIN_CODE_FILE,
  })
  if (codeFile !== undefined)
    app.log.info({ file: codeFile }, 'made the administrator; the file has its registration code')
}

/** A connection kept alive after the last answer would hold the close until it times out. */
function endConnectionsWhenClosing(app: FastifyInstance): void {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close')
  })
}

interface Connections {
  commands: Commands
  /** For what needs a connection of its own. */
  masters: Masters
}

async function openConnections(app: FastifyInstance, config: Config): Promise<Connections> {
  let last: Error | undefined
  const options = {
    url: config.REDIS_URL,
    name: 'portcullis-auth',
    onError(error: Error) {
      // Reconnecting repeats itself; only a new reason is news.
      if (error.message !== last?.message) app.log.warn({ err: error }, 'Redis connection')
      last = error
    },
  }
  const commands = connectCommands({ ...options, name: 'portcullis-auth-commands' })
  commands.on('ready', () => {
    last = undefined
  })
  app.addHook('onClose', () => close(commands))
  await commands.connect().catch((error: Error) => {
    throw new Error(`Redis cannot be reached: ${(last ?? error).message}; check REDIS_URL`)
  })
  const masters = followMasters(commands, options)
  app.addHook('onClose', async () => masters.close())
  return { commands, masters }
}
