import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import { LocalError } from '../errors.js'
import { type Child, failedChild, startChild } from '../processes/child.js'
import { checkRedis } from './check-redis.js'
import { findProgram } from './find-server.js'
import type { PrivateRedis } from './start-redis.js'

/** Returns true if a Docker engine answers. */
export async function dockerRuns(): Promise<boolean> {
  const docker = findProgram('docker')
  if (docker === undefined) {
    return false
  }
  const { failed } = await execa(docker, ['info'], {
    reject: false,
    timeout: 5000,
    stdin: 'ignore',
  })
  return !failed
}

/**
 * Runs the official Redis image on a loopback port, with a random password. The container is named after
 * `dir`, and is removed when the run ends; its data remain in `dir`.
 *
 * @throws LocalError `redis_unusable` when it does not start.
 */
export async function startDockerRedis(dir: string, durable: boolean): Promise<PrivateRedis> {
  const docker = findProgram('docker') ?? 'docker'
  const name = `portcullis-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`
  const data = join(dir, 'redis')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 })
  const password = randomBytes(32).toString('base64url')
  // An earlier run with this directory may have been killed, and have left its container.
  await execa(docker, ['rm', '-f', name], { reject: false, stdin: 'ignore' })
  const child = await startChild({
    name: 'redis',
    command: docker,
    args: runArguments(name, data, durable),
    // In the environment, because other users can read command lines.
    env: { ...process.env, PORTCULLIS_REDIS_PASSWORD: password },
    logFile: join(dir, 'logs', 'redis.log'),
  })
  const remove = () => execa(docker, ['rm', '-f', name], { reject: false, stdin: 'ignore' })
  try {
    const url = `redis://:${password}@${await address(child, docker, name)}`
    await answering(url)
    return {
      url,
      pid: child.pid,
      child,
      // `docker run` forwards SIGTERM, so Redis shuts down cleanly.
      stop: () => child.stop(),
      kill: async () => {
        await remove()
        await child.kill()
      },
    }
  } catch (error) {
    await remove()
    await child.stop()
    throw error
  }
}

function runArguments(name: string, data: string, durable: boolean): string[] {
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  return [
    ...['run', '--rm', '--init', '--name', name, '--user', user],
    ...['-p', '127.0.0.1::6379', '-v', `${data}:/data`, '-e', 'PORTCULLIS_REDIS_PASSWORD'],
    ...['redis:7', 'sh', '-c', command(durable)],
  ]
}

/** Redis reads its password from standard input. With `exec` it receives the signal to stop. */
function command(durable: boolean): string {
  const appendonly = `--appendonly ${durable ? 'yes' : 'no'} --appendfsync always`
  return [
    `exec redis-server --save '' ${appendonly} - <<settings`,
    'requirepass $PORTCULLIS_REDIS_PASSWORD',
    'settings',
  ].join('\n')
}

/** Resolves to `127.0.0.1:<port>` when the container runs. */
async function address(child: Child, docker: string, name: string): Promise<string> {
  // Long enough to download the image.
  const deadline = Date.now() + 300_000
  while (Date.now() < deadline) {
    if (child.hasEnded()) {
      throw failedChild(child, await child.ended)
    }
    const { stdout } = await execa(docker, ['port', name, '6379'], {
      reject: false,
      stdin: 'ignore',
    })
    const found = /127\.0\.0\.1:\d+/.exec(stdout)?.[0]
    if (found !== undefined) {
      return found
    }
    await delay(200)
  }
  throw new LocalError('redis_unusable', 'Docker did not start redis:7 within 5 minutes')
}

async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      return await checkRedis(url)
    } catch (error) {
      if (Date.now() > deadline) {
        throw error
      }
      await delay(100)
    }
  }
}
