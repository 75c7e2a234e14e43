import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.js'
import {
  type Connections,
  type Listener,
  listen,
  openConnections,
  openRegistry,
  openWaiting,
  type Registry,
  slotsOf,
  type WaitingConnections,
} from '../registry/index.js'

/**
 * Connects to Redis.
 *
 * @param onReply - called with the milliseconds that a command took, for some commands
 * @throws RedisUrlError, RegistryError
 */
export async function openRedis(
  app: FastifyInstance,
  config: Config,
  onReply: (ms: number) => void,
): Promise<Connections> {
  const connections = await openConnections({
    url: config.REDIS_URL,
    onError: (err) => app.log.warn({ err }, 'Redis connection'),
    onReply,
  })
  app.addHook('onClose', () => connections.close())
  return connections
}

/** Opens the token registry. @throws RegistryError */
export function openTokenRegistry(
  app: FastifyInstance,
  { commands }: Connections,
  config: Config,
): Promise<Registry> {
  return openRegistry({
    redis: commands,
    prefix: config.REDIS_PREFIX,
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
}

/** Opens the connections that wait for replicas. */
export function openReplicaWaits(
  app: FastifyInstance,
  registry: Registry,
  { masters }: Connections,
): WaitingConnections {
  const waiting = openWaiting(registry, masters)
  app.addHook('onClose', () => waiting.close())
  return waiting
}

/** Subscribes to the messages that auth instances send each other. @throws RegistryError */
export async function openListener(
  app: FastifyInstance,
  registry: Registry,
  { masters }: Connections,
): Promise<Listener> {
  const { keys } = registry
  const channels = [
    keys.news,
    keys.acknowledgements,
    keys.keyNews,
    keys.auditNews,
    keys.inquiries,
    keys.answers,
  ]
  const listener = listen(masters, channels, slotsOf(registry))
  app.addHook('onClose', () => listener.close())
  await listener.heard
  return listener
}
