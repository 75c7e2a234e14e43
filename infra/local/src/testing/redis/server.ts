import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { close, connect, type Redis } from '@portcullis/redis'
import getPort from 'get-port'
import { LocalError } from '../../errors.js'
import { type Child, failedChild, lastLines, startChild } from '../../processes/child.js'
import { findServer } from '../../redis/find-server.js'

const host = '127.0.0.1'
/** Between two looks at the state of servers, in milliseconds. */
const lookMs = 20
const patienceMs = 30_000

/** One server of a Cluster or of a group that Sentinels watch, in a test's hands. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  readonly url: string
  /** Commands for this server alone, whatever its role; may be used while it runs. */
  readonly redis: Redis
  readonly pid: number
  /** Neither killed nor paused. */
  readonly running: boolean
  /** SIGKILL; settles when it has ended. */
  kill(): Promise<void>
  /** SIGSTOP: its connections stay, it answers nothing. */
  pause(): void
  /** SIGCONT */
  goOn(): void
  /** Starts it again after a kill, with the settings, files and port that it had. */
  start(): Promise<void>
  stop(): Promise<void>
}

export interface StartServerOptions {
  /** Where its files lie; its own. */
  dir: string
  /** Its arguments behind the port, or what gives them for the port that it gets. */
  args: (port: number) => readonly string[]
  /** Whether the port 10,000 above, the bus of a Cluster, has to be free as well. */
  bus?: boolean
}

/** Starts a redis-server on a free port; settles when it answers. */
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
      // Another program may take the port between our looking and the server's listening.
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
    goOn: () => signal('SIGCONT'),
    start,
    async stop() {
      await close(redis)
      // Nothing here is to be kept, and one that stands still would not hear anything gentler.
      await child.kill()
    },
  }
}

/**
 * Asks until there is an answer; an error is none.
 * @param explain what there is instead, for people to read
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

/** Below 55,536, for the bus lies 10,000 above. */
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
