import {
  type Commands,
  close,
  connectCommands,
  RedisUrlError,
  redisUrlForms,
  shownUrl,
} from '@portcullis/redis'
import { LocalError } from '../errors.js'

/** The oldest supported major version of Redis. Valkey reports a Redis version too. */
export const minimumVersion = 7

/**
 * Checks that the Redis at `url` answers, takes writes and is new enough.
 *
 * @throws LocalError `redis_unusable`: one line that names the problem, never the password.
 */
export async function checkRedis(url: string, timeoutMs = 3000): Promise<void> {
  let failure = `no answer within ${timeoutMs / 1000} s`
  let redis: Commands
  try {
    redis = connectCommands({ url, onError: (error) => (failure = explain(error)) })
  } catch (error) {
    // The error's own message may contain a password that could not be parsed.
    if (error instanceof RedisUrlError) {
      throw unusable('REDIS_URL', malformed)
    }
    throw error
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(failure)), timeoutMs)
  })
  try {
    await Promise.race([probe(redis), late])
  } catch (error) {
    if (error instanceof LocalError) {
      throw error
    }
    throw unusable(withoutPassword(url), failure.startsWith('no answer') ? explain(error) : failure)
  } finally {
    clearTimeout(timer)
    await close(redis)
  }
}

const malformed = `it is not a Redis URL; use ${redisUrlForms}`

async function probe(redis: Commands): Promise<void> {
  await redis.connect()
  await redis.ping()
  const info = await redis.info()
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? 'of unknown version'
  if (Number.parseInt(version, 10) >= minimumVersion && !/^role:slave/m.test(info)) {
    return
  }
  throw new Error(
    /^role:slave/m.test(info)
      ? 'it is a replica; use its primary'
      : `it is Redis ${version}; Portcullis needs ${minimumVersion} or newer`,
  )
}

function unusable(where: string, problem: string): LocalError {
  return new LocalError('redis_unusable', `cannot use the Redis at ${where}: ${problem}`)
}

/** Returns the URL without user and password. */
export function withoutPassword(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    // The host of a socket URL is a placeholder, needed to hold a user name.
    return `${protocol}//${protocol === 'unix:' ? '' : host}${pathname}`
  } catch {
    // Several hosts, for a Cluster.
    return shownUrl(url)
  }
}

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ENOENT: 'there is no such socket',
    ENOTFOUND: 'the host is unknown',
    EAI_AGAIN: 'the host cannot be looked up',
    EACCES: 'permission denied',
  }
  if (code !== undefined && known[code] !== undefined) {
    return known[code]
  }
  if (message.startsWith('NOAUTH')) {
    return 'it asks for a password'
  }
  if (message.startsWith('WRONGPASS')) {
    return 'it refuses this user name or password'
  }
  // ioredis reports only this if it cannot connect to any of several hosts.
  if (message.endsWith('Connection is closed.')) {
    return 'nothing answers there'
  }
  return message
}
