import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { close, connect } from '@portcullis/redis'
import { LocalError } from '../errors.js'
import { type Child, failedChild, lastLines, startChild } from '../processes/child.js'
import { socketPath } from '../state/socket-path.js'
import { findServer } from './find-server.js'
import { withUser } from './redis-users.js'

export interface StartRedisOptions {
  /** The folder for socket, log and data. */
  dir: string
  /**
   * True: every write is on disk before its reply, and survives a restart.
   * False: all data are lost when the server stops.
   */
  durable: boolean
  /** Path of the server's program. Default: the one in `PATH`. */
  program?: string
  /** The operator's password. Without it every client of the socket is an operator. */
  password?: string
}

export interface PrivateRedis {
  /** `unix://…`, with the operator's password. */
  readonly url: string
  readonly pid: number
  readonly child: Child
  stop(): Promise<void>
  kill(): Promise<void>
}

/**
 * Starts a redis-server or valkey-server on a unix socket that only this user can open, and on no port.
 *
 * @throws LocalError `redis_missing` when none is installed, `redis_unusable` when it does not start.
 */
export async function startRedis({
  dir,
  durable,
  program = findServer(),
  password,
}: StartRedisOptions): Promise<PrivateRedis> {
  if (program === undefined) {
    throw new LocalError('redis_missing', 'there is no redis-server or valkey-server in PATH')
  }
  const data = join(dir, 'redis')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  chmodSync(data, 0o700)
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
  const socket = socketPath(dir, 'redis.sock')
  const open = socketUrl(socket)
  const url = password === undefined ? open : withUser(open, '', password)
  // A server of an older version had no password.
  for (const leftover of new Set([url, open])) {
    await stopLeftover(leftover)
  }
  const child = await startChild({
    name: 'redis',
    command: program,
    args: [...passwordFile(data, password), ...settings(socket, data, durable)],
    env: process.env,
    logFile: join(dir, 'logs', 'redis.log'),
  })
  try {
    await answering(child, url)
  } catch (error) {
    await child.stop()
    throw error
  }
  return { url, pid: child.pid, child, stop: () => child.stop(), kill: () => child.kill() }
}

/** Returns `unix://` and the escaped path. */
export function socketUrl(path: string): string {
  return `unix://${path.split('/').map(encodeURIComponent).join('/')}`
}

/** Passes the password in a private file, because other users can read command lines. */
function passwordFile(data: string, password: string | undefined): string[] {
  if (password === undefined) {
    return []
  }
  const file = join(data, 'redis.conf')
  rmSync(file, { force: true })
  writeFileSync(file, `requirepass ${password}\n`, { mode: 0o600 })
  return [file]
}

function settings(socket: string, data: string, durable: boolean): string[] {
  return [
    ...['--port', '0', '--unixsocket', socket, '--unixsocketperm', '700'],
    ...['--dir', data, '--save', '', '--daemonize', 'no'],
    // `everysec` could lose an acknowledged revocation in a power cut.
    ...['--appendonly', durable ? 'yes' : 'no', '--appendfsync', 'always'],
  ]
}

/**
 * Stops a server that an earlier run left. Its socket is in our private directory, and `holdRun` has shown
 * that no run is active.
 */
async function stopLeftover(url: string): Promise<void> {
  if ((await attempt(url, (redis) => redis.ping())) !== 'PONG') {
    return
  }
  await attempt(url, (redis) => redis.shutdown('NOSAVE'))
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await attempt(url, (redis) => redis.ping())) === undefined) {
      return
    }
    await delay(50)
  }
  throw new LocalError('redis_unusable', `the Redis of an earlier run does not stop (${url})`)
}

/** Waits until the server answers, which takes long with a large append-only file. */
async function answering(child: Child, url: string, deadlineMs = 60_000): Promise<void> {
  const deadline = Date.now() + deadlineMs
  while (Date.now() < deadline) {
    if (child.hasEnded()) {
      throw failedChild(child, await child.ended)
    }
    if ((await attempt(url, (redis) => redis.ping())) === 'PONG') {
      return
    }
    await Promise.race([child.ended, delay(25)])
  }
  throw new LocalError(
    'redis_unusable',
    `Redis did not answer within ${deadlineMs / 1000} s; its log is ${child.logFile}`,
    lastLines(child),
  )
}

async function attempt(
  url: string,
  ask: (redis: ReturnType<typeof connect>) => Promise<string>,
): Promise<string | undefined> {
  const redis = connect({ url, onError: () => undefined })
  try {
    await redis.connect()
    return await ask(redis)
  } catch {
    return undefined
  } finally {
    await close(redis)
  }
}
