import { type RedisOptions as AnyRedisOptions, Redis } from 'ioredis'
import { RedisUrlError } from './errors.js'

export type { Redis } from 'ioredis'

/**
 * Milliseconds after which a command fails: a caller is told that Redis is away while it still
 * waits for the answer. A command that blocks has to end before that.
 */
export const commandTimeoutMs = 2000

/** Replies keep their RESP2 shapes; ioredis types that choice apart. */
type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>

/**
 * What a connection is for; a blocked or subscribed connection serves nothing else. `waiting` is for
 * WAIT: it blocks, but it speaks of what its own connection wrote, so it fails with its connection
 * as commands do and is never sent again on another.
 */
export type ConnectionRole = 'commands' | 'subscriber' | 'blocking' | 'waiting'

export interface ConnectOptions {
  /** `redis://`, `rediss://` (TLS) or `unix:///path/to/redis.sock`. */
  url: string
  role?: ConnectionRole
  /** Shown by `CLIENT LIST`, so that an operator can tell connections apart. */
  name?: string
  /** Called on each connection error; ioredis keeps reconnecting by itself. */
  onError: (error: Error) => void
}

/**
 * Opens one connection that reconnects by itself.
 *
 * Commands are not queued while Redis is away: they fail at once, so that a caller fails closed
 * instead of answering late. After a reconnect a subscriber has to subscribe again, at `ready`: nobody
 * could hear of it if ioredis did that by itself and failed.
 *
 * @throws RedisUrlError when `url` is none of the forms above.
 */
export function connect({ url, role = 'commands', name, onError }: ConnectOptions): Redis {
  const failsAtOnce = role === 'commands' || role === 'waiting'
  const options: RedisOptions = {
    ...target(url),
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
    retryStrategy: (attempt) =>
      Math.min(50 * 2 ** Math.min(attempt, 6), 2000) * (0.5 + Math.random() / 2),
    autoResubscribe: false,
    lazyConnect: true,
  }
  const redis = new Redis(options)
  redis.on('error', onError)
  return redis
}

/** The host, port, credentials and database that `url` names. */
function target(url: string): RedisOptions {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new RedisUrlError(url)
  }
  const db = parsed.protocol === 'unix:' ? parsed.searchParams.get('db') : parsed.pathname.slice(1)
  if (db !== null && db !== '' && !/^\d{1,4}$/.test(db)) throw new RedisUrlError(url)
  const common: RedisOptions = {
    db: Number(db ?? 0),
    ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
  }
  switch (parsed.protocol) {
    case 'unix:':
      return { ...common, path: decodeURIComponent(parsed.pathname) }
    case 'rediss:':
      return { ...common, ...address(parsed), tls: { servername: parsed.hostname } }
    case 'redis:':
      return { ...common, ...address(parsed) }
    default:
      throw new RedisUrlError(url)
  }
}

function address(url: URL): { host: string; port: number } {
  return { host: url.hostname || '127.0.0.1', port: Number(url.port || 6379) }
}
