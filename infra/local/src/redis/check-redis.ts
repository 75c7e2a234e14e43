import {
  type Commands,
  close,
  connectCommands,
  RedisUrlError,
  redisUrlForms,
  shownUrl,
} from '@portcullis/redis'
import { LocalError } from '../errors.js'

/** The oldest Redis that Portcullis is tried on; Valkey answers with a Redis version as well. */
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
    // The URL's own message shows all of it but what it could tell apart as a password.
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

/** The URL as people may see it. */
export function withoutPassword(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url)
    // A socket has no host: what stands there is for the sake of a user.
    return `${protocol}//${protocol === 'unix:' ? '' : host}${pathname}`
  } catch {
    // Several hosts, as of a Cluster.
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
  // All that is said of several hosts, none of which can be connected to.
  if (message.endsWith('Connection is closed.')) {
    return 'nothing answers there'
  }
  return message
}
