import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { close, connect, type Redis } from '@portcullis/redis'
import getPort from 'get-port'
import { LocalError } from '../../errors.js'
import { type Child, failedChild, lastLines, startChild } from '../../processes/child.js'
import { findServer } from '../../redis/find-server.js'

const host = '127.0.0.1'
/** Interval of polls, in milliseconds. */
const lookMs = 20
const patienceMs = 30_000

/** A server of a Cluster, or of a group that Sentinels watch, which a test controls. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Sends commands to this server only, whatever its role. Usable while the server runs. */
  readonly redis: Redis
  readonly pid: number
  /** False if the server was killed or paused. */
  readonly running: boolean
  /** Sends SIGKILL. Resolves when the server has ended. */
  kill(): Promise<void>
  /** Sends SIGSTOP: connections stay open, without replies. */
  pause(): void
  /** Sends SIGCONT. */
  resume(): void
  /** Starts the server after a kill, with the same settings, files and port. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface StartServerOptions {
  /** The server's folder. */
  dir: string
  /** Returns the arguments after the port. */
  args: (port: number) => readonly string[]
  /** True if the Cluster bus, on the port 10,000 above, needs a free port too. */
  bus?: boolean
}

/** Starts a redis-server on a free port. Resolves when it answers. */
export async function startServer({ dir, args, bus }: StartServerOptions): Promise<RedisServer> {
  const program = findServer()
  if (program === undefined) {
    throw new LocalError('redis_missing', 'there is no redis-server or valkey-server in PATH')
  }
  mkdirSync(dir, { recursive: true })
  let port = 0
  let child: Child
  let starts = 0
  const start = async () => {
    starts += 1
    child = await startChild({
      name: `redis-${port}`,
      command: program,
      args: [...args(port), '--port', `${port}`, '--bind', host, '--dir', dir],
      env: process.env,
      logFile: join(dir, `${starts}.log`),
    })
    await answering(child, port)
  }
  for (let attempt = 1; ; attempt += 1) {
    port = await freePort(bus === true)
    try {
      await start()
      break
    } catch (error) {
      // Another program may take the port before the server listens on it.
      if (attempt === 5 || !(error instanceof LocalError)) {
        throw error
      }
    }
  }
  const url = `redis://${host}:${port}`
  const redis = connect({ url, onError: () => undefined })
  await redis.connect()
  let paused = false
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    paused = name === 'SIGSTOP'
    if (!child.hasEnded()) {
      process.kill(child.pid, name)
    }
  }
  return {
    host,
    port,
    url,
    redis,
    get pid() {
      return child.pid
    },
    get running() {
      return !child.hasEnded() && !paused
    },
    kill: () => child.kill(),
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    start,
    async stop() {
      await close(redis)
      // Data need not be kept, and a paused server would not handle SIGTERM.
      await child.kill()
    },
  }
}

/**
 * Calls `ask` until it returns a value other than false and undefined. Ignores its errors.
 * @param explain returns lines for the message of the error
 * @throws LocalError after half a minute
 */
export async function eventually<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false>,
  explain: () => Promise<readonly string[]> = async () => [],
): Promise<Answer> {
  const deadline = performance.now() + patienceMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) {
        return answer
      }
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      const details = [...(last === undefined ? [] : [String(last)]), ...(await explain())]
      throw new LocalError('redis_unusable', `in vain: ${what}`, details)
    }
    await delay(lookMs)
  }
}

/** Returns a free port; with `bus` one below 55,536, because the bus uses the port 10,000 above. */
async function freePort(bus: boolean): Promise<number> {
  for (;;) {
    const port = await getPort({ host })
    if (!bus) {
      return port
    }
    const low = 10_000 + (port % 40_000)
    if (
      (await getPort({ host, port: low })) === low &&
      (await getPort({ host, port: low + 10_000 })) === low + 10_000
    ) {
      return low
    }
  }
}

async function answering(child: Child, port: number): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    if (child.hasEnded()) {
      throw failedChild(child, await child.ended)
    }
    const redis = connect({ url: `redis://${host}:${port}`, onError: () => undefined })
    try {
      await redis.connect()
      return
    } catch {
      await Promise.race([child.ended, delay(lookMs)])
    } finally {
      await close(redis)
    }
  }
  throw new LocalError('redis_unusable', `a server does not answer`, lastLines(child))
}
