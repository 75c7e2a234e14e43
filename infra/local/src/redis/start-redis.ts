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
  /** Where its socket, its log and its data lie. */
  dir: string
  /**
   * True: every write is on disk before it is answered, and is there at the next start.
   * False: nothing is kept.
   */
  durable: boolean
  /** The server's program; default: what `PATH` holds. */
  program?: string
  /** Of the operator; without it whoever reaches the socket is one. */
  password?: string
}

export interface PrivateRedis {
  /** `unix://…`; the operator's, who may do everything. */
  readonly url: string
  readonly pid: number
  readonly child: Child
  stop(): Promise<void>
  kill(): Promise<void>
}

/**
 * Starts a redis-server or valkey-server that only this user reaches: on a unix socket, on no port.
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
  // It may be of a version that had no password.
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

/** `unix://` and the path, escaped. */
export function socketUrl(path: string): string {
  return `unix://${path.split('/').map(encodeURIComponent).join('/')}`
}

/** The password comes in a file of ours alone, so that no list of processes shows it. */
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
    // A revocation that was answered must not be forgotten by a power cut: always, not everysec.
    ...['--appendonly', durable ? 'yes' : 'no', '--appendfsync', 'always'],
  ]
}

/**
 * Stops a server that an earlier run could not stop. It is ours beyond doubt: its socket lies in
 * our private directory, and no run is going on (`holdRun` came first).
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

/** Waits until it answers; loading a large append-only file takes its time. */
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
