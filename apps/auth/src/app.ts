import { randomUUID } from 'node:crypto'
import rateLimit from '@fastify/rate-limit'
import websocket from '@fastify/websocket'
import {
  answerClientError,
  answerFrameworkError,
  closing,
  documentation,
  health,
  internal,
  loggerOptions,
  metrics,
  problems,
  securityHeaders,
  serverTls,
  trustProxy,
  warnOfProxy,
} from '@portcullis/service'
import Fastify, { type FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import { recordOwnActs } from './audit/record-own-acts.js'
import { allow } from './callers/allow.js'
import { authenticateClient } from './callers/authenticate-client.js'
import { admitCallers } from './callers/callers.js'
import { limitRequests } from './callers/limit-requests.js'
import type { Config } from './config.js'
import { AuthError, translate } from './errors.js'
import { Fencer } from './feed/fencer.js'
import { follow } from './feed/follow.js'
import type { FeedHub } from './feed/hub.js'
import { Inquiries } from './feed/inquiries.js'
import { openOwnPart } from './feed/own-part/open.js'
import { feedRegistry } from './feed/registry.js'
import { followKeys, openKeySet } from './keys/index.js'
import { meters } from './meters.js'
import {
  type AdministratorOutcome,
  countPending,
  feedSource,
  leaseTimes,
  listen,
  openConnections,
  openReceiptWatch,
  openRegistry,
  openWaiting,
  type Registry,
  registryCheck,
  slotsOf,
} from './registry/index.js'
import { describeFeed } from './routes/feed/describe.js'
import { routes } from './routes/index.js'
import { methodNotAllowed } from './routes/method-not-allowed.js'
import { securityOf, securitySchemes } from './routes/security.js'
import { validatorCompiler } from './routes/validate.js'
import { jwt } from './tokens/jwt.js'
import { administrator } from './wire/administrator.js'
import { openAudit } from './wire/audit.js'
import { openEvents } from './wire/events.js'

/** Bytes of a body, and of a feed message; batches of introspections have their own bound. */
const bodyLimit = 64 * 1024
const feedMessageLimit = 256 * 1024

/** How long the start waits for this instance's own leases, in milliseconds. */
const ownLeaseMs = 3000

/** Of what the descriptions describe. */
const version = '0.1.0'

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
    trustProxy: trustProxy(config.TRUST_PROXY),
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
  await app.register(internal, { port: config.INTERNAL_PORT })
  await app.register(securityHeaders, { tls: config.TLS_CERT !== undefined })
  await app.register(warnOfProxy, { trusted: config.TRUST_PROXY })
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
  const connections = await openConnections({
    url: config.REDIS_URL,
    onError: (err) => app.log.warn({ err }, 'Redis connection'),
  })
  app.addHook('onClose', () => connections.close())
  const { commands, masters } = connections
  const { REDIS_PREFIX: prefix } = config
  const registry = await openRegistry({
    redis: commands,
    prefix,
    partitions: config.PARTITIONS,
    feedMaxLength: config.FEED_MAX_LENGTH,
    receiptTtlSeconds: config.RECEIPT_TTL_SECONDS,
    leaseMs: config.LEASE_MS,
    maxTokensPerIdentity: config.MAX_TOKENS_PER_IDENTITY,
    wrongCodes: {
      allowed: config.WRONG_CODES_ALLOWED,
      waitMs: config.WRONG_CODE_WAIT_MS,
      maxWaitMs: config.WRONG_CODE_MAX_WAIT_MS,
    },
    administrator: config.ADMIN_IDENTITY,
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
  const administratorOutcome = await ensureAdministrator(app, registry, config)

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
  let own: ReturnType<typeof openOwnPart> | undefined
  const following = await follow({
    source: feedSource(registry, listener),
    follower: (cursor) => {
      own = openOwnPart(registry, app.log, cursor)
      return own.part
    },
    onError: (err) => app.log.warn({ err }, 'the feed cannot be read'),
  })
  if (own === undefined) {
    throw new Error('following the feed makes this instance a part of receipts')
  }
  const { part, watch } = own
  app.addHook('onClose', () => following.close())
  app.addHook('onClose', async () => {
    await part.close()
    watch.close()
  })
  app.decorate('ownPart', part)
  await part.start(ownLeaseMs)
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
  await recordOwnActs(app.auditLog.log, {
    keys,
    administrator: { identity: config.ADMIN_IDENTITY, ...administratorOutcome },
  })
  const fencer = new Fencer({
    registry: nodes,
    pollMs: leaseTimes(config.LEASE_MS).pollMs,
    onFenced({ node, instance, partition }) {
      app.log.warn({ node, instance, partition }, 'node fenced: its lease is out')
      // It is fenced in each partition by itself, all in the same moment or nearly.
      if (partition === 0) {
        app.meters.nodesFenced.inc()
      }
    },
    onError: (err) => app.log.debug({ err }, 'the leases cannot be read'),
  })
  app.addHook('onClose', () => fencer.close())
  app.decorate('defaultTtlSeconds', config.TOKEN_TTL_SECONDS)
  openEvents(app, config)

  const refuseOtherMethods = methodNotAllowed(app)
  await app.register(documentation, {
    title: 'Portcullis auth',
    description:
      'Registers identities, issues tokens, introspects and revokes them. Errors of `/oauth/…` are those of RFC 6749 §5.2, all others RFC 9457 problems.',
    version,
    securitySchemes,
    securityOf,
    asyncapi: describeFeed(config.ISSUER, version),
  })
  await app.register(health, {
    checks: {
      instance: () => (app.closing ? 'closing' : undefined),
      redis: registryCheck(registry),
      keys: () => keys.ready(),
      feed: () => following.ready(),
      lease: () => part.problem,
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

/** What holds for every request: its schema, its errors, what may be kept of its answer. */
async function openToRequests(app: FastifyInstance, registry: Registry): Promise<void> {
  app.setValidatorCompiler(validatorCompiler)
  // Answers are made by us to the shape of their schemas, which describe and do not filter.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  app.addHook('onRequest', async (_request, reply) => {
    // Codes and tokens are in many answers (RFC 6749 §5.1); what may be kept says so itself.
    reply.header('cache-control', 'no-store')
  })
  app.addHook('onSend', async (_request, reply) => {
    // One kept alive after the last answer would hold the close until it times out.
    if (app.closing) {
      reply.header('connection', 'close')
    }
  })
  await app.register(problems, { translate })
  await app.register(rateLimit, {
    global: false,
    redis: registry.redis,
    nameSpace: registry.keys.limits,
  })
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
    if (request.ws && request.routeOptions.url !== '/v1/feed') {
      throw new AuthError('invalid_request', 'there is no WebSocket here; the feed is at /v1/feed')
    }
  })
}

async function ensureAdministrator(
  app: FastifyInstance,
  registry: Registry,
  config: Config,
): Promise<AdministratorOutcome> {
  const { codeFile, ...outcome } = await administrator(registry, {
    identity: config.ADMIN_IDENTITY,
    registrationCode: config.ADMIN_REGISTRATION_CODE,
    codeFile: config.ADMIN_CODE_FILE,
  })
  if (codeFile !== undefined) {
    app.log.info({ file: codeFile }, 'made the administrator; the file has its registration code')
  }
  if (outcome.made === 'refused') {
    app.log.warn(
      { identity: config.ADMIN_IDENTITY },
      'ADMIN_REGISTRATION_CODE was removed from the administrator, or has expired, and is not added again: set it to the code that is in use now, or to a new one',
    )
  }
  return outcome
}
