import { Redis } from 'ioredis'
import { RedisClusterError } from './errors.js'
import { retryDelay } from './retry-delay.js'
import { connectSentinel } from './sentinel.js'
import { type Access, type Address, type RedisOptions, targetOf } from './url.js'

export type { Redis } from 'ioredis'

/**
 * Milliseconds after which a command fails: a caller is told that Redis is away while it still
 * waits for the answer. A command that blocks has to end before that.
 */
export const commandTimeoutMs = 2000

/**
 * What a connection is for; a blocked or subscribed connection serves nothing else. `waiting` is for
 * WAIT: it blocks, but it speaks of what its own connection wrote, so it fails with its connection
 * as commands do and is never sent again on another.
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
  /** Shown by `CLIENT LIST`, so that an operator can tell connections apart. */
  name?: string
  /** Called on each connection error; ioredis keeps reconnecting by itself. */
  onError: (error: Error) => void
}

/**
 * Opens one connection to one server that reconnects by itself; through Sentinels to whoever is the
 * master. For a Cluster see `connectCommands` and `followMasters`.
 *
 * Commands are not queued while Redis is away: they fail at once, so that a caller fails closed
 * instead of answering late. After a reconnect a subscriber has to subscribe again, at `ready`: nobody
 * could hear of it if ioredis did that by itself and failed.
 *
 * @throws RedisUrlError when `url` is none of the forms above; RedisClusterError for a Cluster's.
 */
export function connect({ url, role = 'commands', name, onError }: ConnectOptions): Redis {
  const target = targetOf(url)
  if (target.kind === 'cluster') {
    throw new RedisClusterError()
  }
  const options = { ...target.options, ...roleOptions(role, name) }
  const redis = target.kind === 'sentinel' ? connectSentinel(options) : new Redis(options)
  redis.on('error', onError)
  return redis
}

/** The same to a server whose address is known. */
export function connectTo(
  address: Address,
  access: Access,
  { role = 'commands', name, onError }: Omit<ConnectOptions, 'url'>,
): Redis {
  const redis = new Redis({ ...address, ...access, ...roleOptions(role, name) })
  redis.on('error', onError)
  return redis
}

function roleOptions(role: ConnectionRole, name: string | undefined): RedisOptions {
  const failsAtOnce = role === 'commands' || role === 'waiting'
  return {
    ...(name === undefined ? {} : { connectionName: name }),
    // A blocked XREAD or a subscription outlives any number of connections. A command dies with its
    // own: it would wait for its timeout though Redis may be back at once.
    maxRetriesPerRequest: failsAtOnce ? 0 : null,
    enableOfflineQueue: !failsAtOnce,
    // A Redis that is paused or partitioned keeps its connection and never answers.
    ...(failsAtOnce ? { commandTimeout: commandTimeoutMs } : {}),
    // Opened while a request waits for it.
    ...(role === 'waiting' ? { connectTimeout: commandTimeoutMs } : {}),
    // A script sent twice could commit twice: a caller that lost its answer decides, not we.
    autoResendUnfulfilledCommands: !failsAtOnce,
    retryStrategy: retryDelay,
    autoResubscribe: false,
    lazyConnect: true,
  }
}
