import {
  ConfigError,
  countWorkers,
  type Environment,
  loadConfig,
  type WorkerPlace,
} from '@portcullis/service'
import type { Static } from '@sinclair/typebox'
import { type Endpoints, readEndpoints } from '../handlers/endpoints.js'
import { type Namespaces, readNamespaces } from '../hub/namespaces.js'
import { type StreamKind, streamKinds } from '../sessions/sessions.js'
import { defaultNodeName, requireRoomForNumber, workerName } from './node-name.js'
import { readOrigins } from './read-origins.js'
import { bytesPerSubscription, configSchema } from './schema.js'

export { configSchema }

export type Config = Omit<
  Static<typeof configSchema>,
  | 'WORKERS'
  | 'NODE_NAME'
  | 'MAX_ANSWER_BYTES'
  | 'MAX_FRAME_BYTES'
  | 'ALLOWED_ORIGINS'
  | 'FALLBACK_TRANSPORTS'
  | 'NAMESPACES'
  | 'HANDLERS'
  | 'SERVER_SUBSCRIPTIONS'
> & {
  WORKERS: number
  NODE_NAME: string
  MAX_ANSWER_BYTES: number
  MAX_FRAME_BYTES: number
  ALLOWED_ORIGINS: readonly string[]
  FALLBACK_TRANSPORTS: readonly StreamKind[]
  NAMESPACES: Namespaces
  HANDLERS: Endpoints
  SERVER_SUBSCRIPTIONS: readonly string[]
}

/**
 * Reads the settings.
 *
 * @param place - for a worker, which shares limits of the whole node with the others
 * @throws ConfigError with a line for each missing or wrong setting
 */
export function config(environment: Environment, place?: WorkerPlace): Config {
  const { NODE_NAME, ALLOWED_ORIGINS, NAMESPACES, HANDLERS, SERVER_SUBSCRIPTIONS, ...rest } =
    loadConfig(configSchema, environment)
  if (rest.PONG_TIMEOUT_MS >= rest.PING_INTERVAL_MS) {
    throw new ConfigError(['PONG_TIMEOUT_MS must be less than PING_INTERVAL_MS'])
  }
  // A client that reconnects subscribes to all its channels at once.
  if (rest.COMMANDS_PER_SECOND * rest.RATE_BURST_SECONDS <= rest.MAX_CHANNELS) {
    throw new ConfigError([
      'COMMANDS_PER_SECOND times RATE_BURST_SECONDS must be more than MAX_CHANNELS',
    ])
  }
  const needed = rest.MAX_CHANNELS * bytesPerSubscription
  const maxFrameBytes = rest.MAX_FRAME_BYTES ?? needed
  if (maxFrameBytes < needed) {
    throw new ConfigError([
      `MAX_FRAME_BYTES must be ${needed} or more, or MAX_CHANNELS less: a client that reconnects subscribes to ${rest.MAX_CHANNELS} channels, each with a token, in one message`,
    ])
  }
  const maxAnswerBytes = rest.MAX_ANSWER_BYTES ?? Math.floor(rest.SEND_BUFFER_BYTES / 2)
  if (maxAnswerBytes > rest.SEND_BUFFER_BYTES) {
    throw new ConfigError(['MAX_ANSWER_BYTES must not be more than SEND_BUFFER_BYTES'])
  }
  const namespaces = readNamespaces(NAMESPACES, rest.NAMESPACES_STRICT)
  if (typeof namespaces === 'string') {
    throw new ConfigError([`NAMESPACES ${namespaces}`])
  }
  const handlers = readEndpoints(HANDLERS)
  if (typeof handlers === 'string') {
    throw new ConfigError([`HANDLERS ${handlers}`])
  }
  const channels = SERVER_SUBSCRIPTIONS.split(' ').filter((each) => each !== '')
  if (channels.length > rest.MAX_CHANNELS) {
    throw new ConfigError(['SERVER_SUBSCRIPTIONS has more channels than MAX_CHANNELS'])
  }
  const unknown = channels.find((channel) => namespaces.of(channel).isUnknown)
  if (unknown !== undefined) {
    throw new ConfigError([
      `SERVER_SUBSCRIPTIONS has a channel of a namespace that NAMESPACES lacks: ${unknown}`,
    ])
  }
  const workers = countWorkers(rest.WORKERS)
  const name = NODE_NAME ?? defaultNodeName(rest.PORT)
  if (workers > 1) {
    requireRoomForNumber(name)
  }
  return {
    ...rest,
    ...shareOf(rest, place?.count ?? 1),
    WORKERS: workers,
    MAX_ANSWER_BYTES: maxAnswerBytes,
    MAX_FRAME_BYTES: maxFrameBytes,
    NAMESPACES: namespaces,
    HANDLERS: handlers,
    SERVER_SUBSCRIPTIONS: channels,
    NODE_NAME: place === undefined ? name : workerName(name, place),
    ALLOWED_ORIGINS: readOrigins(ALLOWED_ORIGINS),
    FALLBACK_TRANSPORTS: streamKinds.filter((kind) =>
      rest.FALLBACK_TRANSPORTS.split(/ *, */).includes(kind),
    ),
  }
}

/** Returns a worker's share of the limits that hold for all workers together. */
function shareOf(limits: SharedLimits, workers: number): SharedLimits {
  const share = (limit: number, min = 1) => Math.max(Math.ceil(limit / workers), min)
  return {
    MAX_CONNECTIONS: share(limits.MAX_CONNECTIONS),
    MAX_UNAUTHENTICATED: share(limits.MAX_UNAUTHENTICATED),
    MAX_ADMISSIONS: share(limits.MAX_ADMISSIONS),
    HANDLER_CALLS: share(limits.HANDLER_CALLS),
    // A tenth of it is the limit of one token.
    REFUSALS_PER_MINUTE: share(limits.REFUSALS_PER_MINUTE, 10),
  }
}

type SharedLimits = Pick<
  Static<typeof configSchema>,
  | 'MAX_CONNECTIONS'
  | 'MAX_UNAUTHENTICATED'
  | 'MAX_ADMISSIONS'
  | 'HANDLER_CALLS'
  | 'REFUSALS_PER_MINUTE'
>
