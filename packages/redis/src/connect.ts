import { Redis } from 'ioredis'
import { BatchedRedis } from './batched-redis.js'
import { RedisClusterError } from './errors.js'
import { ReplySampler } from './reply-sampler.js'
import { retryDelay } from './retry-delay.js'
import { connectSentinel } from './sentinel.js'
import { type Access, type Address, type RedisOptions, targetOf } from './url.js'

export type { Redis } from 'ioredis'

/**
 * Milliseconds after which a command fails, so that a caller gets an error while it still waits. A
 * blocking command must end earlier.
 */
export const commandTimeoutMs = 2000

/**
 * The use of a connection. A blocked or subscribed connection cannot serve another use. `waiting`
 * is for WAIT, which blocks, and which counts the writes of its own connection: so it fails when
 * that connection is lost, as commands do, and is never sent again on another.
 */
export type ConnectionRole = 'commands' | 'subscriber' | 'blocking' | 'waiting'

export interface ConnectOptions {
  /**
   * `redis://`, `rediss://` (TLS) or `unix:///path/to/redis.sock`; or
   * `redis+sentinel://[user:password@]host:port,host:port/<name of the master>`, with `?db=0`,
   * `sentinelUser` and `sentinelPassword` (the Sentinels' own), `rediss+sentinel://` for TLS to all.
   */
  url: string
  role?: ConnectionRole
  /** Shown by `CLIENT LIST`. */
  name?: string
  /** Called on each connection error. ioredis keeps reconnecting. */
  onError: (error: Error) => void
  /** Called with the milliseconds that a command took, for at most 20 commands in a second. */
  onReply?: (ms: number) => void
}

/**
 * Opens one connection to one server, or through Sentinels to the current master, and reconnects
 * when it is lost. For a Cluster see `connectCommands` and `followMasters`.
 *
 * Commands are not queued while Redis is away: they fail at once, so that a caller fails closed
 * instead of answering late. After each reconnect a subscriber must subscribe again, at `ready`: if
 * ioredis did that itself, the caller would not learn of a failure.
 *
 * @throws RedisUrlError when `url` has another form than those above; RedisClusterError for a Cluster's
 * URL
 */
export function connect({ url, role = 'commands', name, onError, onReply }: ConnectOptions): Redis {
  const target = targetOf(url)
  if (target.kind === 'cluster') {
    throw new RedisClusterError()
  }
  const options = { ...target.options, ...roleOptions(role, name) }
  const redis = target.kind === 'sentinel' ? connectSentinel(options) : new BatchedRedis(options)
  redis.on('error', onError)
  if (onReply !== undefined) {
    redis.sampler = new ReplySampler(onReply)
  }
  return redis
}

/** Like `connect`, to a server whose address is known. */
export function connectTo(
  address: Address,
  access: Access,
  { role = 'commands', name, onError }: Omit<ConnectOptions, 'url' | 'onReply'>,
): Redis {
  const redis = new Redis({ ...address, ...access, ...roleOptions(role, name) })
  redis.on('error', onError)
  return redis
}

function roleOptions(role: ConnectionRole, name: string | undefined): RedisOptions {
  const failsAtOnce = role === 'commands' || role === 'waiting'
  return {
    ...(name === undefined ? {} : { connectionName: name }),
    // A blocked XREAD or a subscription survives any number of reconnects. A command fails with its
    // connection: otherwise it would wait for its timeout although Redis may be back at once.
    maxRetriesPerRequest: failsAtOnce ? 0 : null,
    enableOfflineQueue: !failsAtOnce,
    // A paused or partitioned Redis keeps its connection and never answers.
    ...(failsAtOnce ? { commandTimeout: commandTimeoutMs } : {}),
    // This connection is opened while a request waits.
    ...(role === 'waiting' ? { connectTimeout: commandTimeoutMs } : {}),
    // A script that is sent twice could commit twice: the caller decides after a lost answer.
    autoResendUnfulfilledCommands: !failsAtOnce,
    retryStrategy: retryDelay,
    autoResubscribe: false,
    lazyConnect: true,
  }
}
