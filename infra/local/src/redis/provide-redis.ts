import { defined } from '@portcullis/contracts/defined'
import { LocalError } from '../errors.js'
import type { Step } from '../step.js'
import { checkRedis } from './check-redis.js'
import { findServer } from './find-server.js'
import { installCommand, installRedis } from './install-redis.js'
import { dockerRuns, startDockerRedis } from './start-docker-redis.js'
import { type PrivateRedis, startRedis } from './start-redis.js'

export interface ProvidedRedis {
  readonly url: string
  /** Absent when `REDIS_URL` names the Redis. */
  readonly private?: PrivateRedis
}

export interface ProvideRedisOptions {
  dir: string
  durable: boolean
  step: Step
  /** The operator's password on a private server. Default: no password on a socket, a random one in Docker. */
  password?: string
}

/**
 * Provides a Redis in the first way that works: `REDIS_URL`; a private server from an installed program, or
 * from one that is installed now; a container.
 *
 * @throws LocalError `redis_unusable` if the Redis at `REDIS_URL` cannot be used, `redis_missing` with the
 * command to run if no way works.
 */
export async function provideRedis({
  dir,
  durable,
  step,
  password,
}: ProvideRedisOptions): Promise<ProvidedRedis> {
  const given = process.env['REDIS_URL'] ?? ''
  if (given !== '') {
    await checkRedis(given)
    return { url: given }
  }
  if (findServer() === undefined && !(await installRedis(step)) && (await dockerRuns())) {
    const redis = await step('starting Redis (docker run redis:7)', () =>
      startDockerRedis(dir, durable),
    )
    return { url: redis.url, private: redis }
  }
  if (findServer() === undefined) {
    throw new LocalError(
      'redis_missing',
      `Portcullis needs Redis 7; run \`${installCommand()}\`, or set REDIS_URL, and start again`,
    )
  }
  const redis = await startRedis({
    dir,
    durable,
    ...defined({ password }),
  })
  try {
    await checkRedis(redis.url)
    return { url: redis.url, private: redis }
  } catch (error) {
    await redis.stop()
    throw error
  }
}
