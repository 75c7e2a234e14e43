import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { defined } from '@portcullis/contracts/defined'
import type { LocalRun } from '@portcullis/contracts/local'
import pc from 'picocolors'
import { type App, bundleOf, checkout, mainOf } from './checkout.js'
import { LocalError } from './errors.js'
import { apiOf, type Credentials, requireAdministrator } from './identities/administrator.js'
import { ensureIdentity } from './identities/ensure-identity.js'
import { type Child, lastLines, startChild } from './processes/child.js'
import { type Children, newChildren } from './processes/children.js'
import { startService } from './processes/start-service.js'
import { stopLeftovers } from './processes/stop-leftovers.js'
import { stopSignals } from './processes/stop-signals.js'
import { type ProvidedRedis, provideRedis } from './redis/provide-redis.js'
import { makeRedisUsers, prefixes, type RedisUser } from './redis/redis-users.js'
import { withDemo } from './start/namespaces.js'
import { readStartOptions, type StartOptions, usage } from './start/options.js'
import { requireFreePorts } from './start/require-free-ports.js'
import { summary } from './start/summary.js'
import { holdRun } from './state/hold-run.js'
import { openState, type State } from './state/state.js'
import type { Step } from './step.js'

/** All services listen on loopback only; a deployment uses the images. */
const host = '127.0.0.1'

/** `npm start`. Resolves to the exit code when every process that it started has stopped. */
export async function main(args: readonly string[], step: Step): Promise<number> {
  try {
    const options = readStartOptions(args)
    if (options === 'help') {
      print(usage)
    } else {
      await run(options, step)
    }
    return 0
  } catch (error) {
    print(`${pc.red('cannot start:')} ${error instanceof Error ? error.message : error}`)
    if (error instanceof LocalError) {
      for (const line of error.details) {
        print(`  ${pc.dim('|')} ${line}`)
      }
    }
    return 1
  }
}

async function run(options: StartOptions, step: Step): Promise<void> {
  const state = openState(options.dir)
  const release = await holdRun(state.dir)
  const children = newChildren()
  const signals = stopSignals(() => {
    children.kill()
    process.exit(1)
  })
  const started = startAll(options, state, children, step)
  try {
    const up = await Promise.race([started, signals.first])
    if (typeof up === 'object') {
      // During the start its error reports the end of a child.
      children.onUnexpectedEnd = reportEnd
      state.write('local.json', `${JSON.stringify(up, undefined, 2)}\n`)
      print(summary(up, state.dir, options.workers))
      await signals.first
    }
    print(`\n  stopping…`)
  } finally {
    await children.stop()
    await started.catch(() => undefined)
    rmSync(state.path('local.json'), { force: true })
    await release()
    signals.release()
  }
  print('  stopped')
}

async function startAll(
  options: StartOptions,
  state: State,
  children: Children,
  step: Step,
): Promise<LocalRun> {
  const { authPort, realtimePort } = options
  // `node --watch` restarts a service when one of its modules changes.
  const programOf = (app: App) => (options.watch ? mainOf(app) : bundleOf(app))
  const workers = defined({ WORKERS: options.workers })
  const ports = Array.from({ length: options.realtime }, (_, index) => realtimePort + index)
  await stopLeftovers(state)
  await requireFreePorts(host, [
    { name: 'auth', port: authPort, option: '--auth-port' },
    ...ports.map((port) => ({ name: 'realtime', port, option: '--realtime-port' })),
  ])
  const password = state.secret('redis.secret')
  const redis = await provideRedis({ dir: state.dir, durable: true, step, password })
  if (redis.private !== undefined) {
    children.adopt('redis', redis.private.child)
  }
  const access = await redisAccess(state, redis)

  const admin = { identity: 'admin', registrationCode: state.secret('admin.code') }
  const auth = await step('starting auth', () =>
    startService({
      program: programOf('auth'),
      name: 'auth',
      host,
      port: authPort,
      logFile: state.path('logs', 'auth.log'),
      settings: {
        ...workers,
        ...authSettings(state, access.auth, `http://${host}:${authPort}`, admin.identity),
      },
      watch: options.watch,
      onChild: (child) => children.adopt('auth', child),
    }),
  )
  await requireAdministrator(auth.url, admin, state.path('admin.code'))
  const credentials = await ensureIdentity({
    authUrl: auth.url,
    api: apiOf(auth.url, admin),
    state,
    identity: 'realtime',
    scopes: ['introspect', 'feed'],
  })
  const realtime = await step(`starting ${ports.length} realtime nodes`, () =>
    Promise.all(
      ports.map((port) =>
        startService({
          program: programOf('realtime'),
          name: `realtime-${port}`,
          host,
          port,
          logFile: state.path('logs', `realtime-${port}.log`),
          settings: {
            ...workers,
            ...realtimeSettings(state, access.realtime, auth.url, credentials, port),
          },
          watch: options.watch,
          onChild: (child) => children.adopt('realtime', child),
        }),
      ),
    ),
  )
  if (options.watch) {
    children.adopt('build', await startBuildWatch(state))
  }
  return {
    auth: auth.url,
    realtime: realtime.map(({ url }) => url),
    redis: redis.url,
    pids: {
      auth: auth.child.pid,
      realtime: realtime.map(({ child }) => child.pid),
      ...(redis.private === undefined ? {} : { redis: redis.private.pid }),
    },
    admin,
  }
}

/** Starts the build that compiles changed files until it is stopped. */
function startBuildWatch(state: State): Promise<Child> {
  return startChild({
    name: 'build',
    command: process.execPath,
    args: [join(checkout, 'infra', 'build', 'build.js'), '--watch'],
    env: process.env,
    logFile: state.path('logs', 'build.log'),
  })
}

type RedisSettings = Readonly<Record<string, string>>

/**
 * Returns each service's settings for Redis. On a private server each service has its own user, limited to
 * the keys of that service: an attacker who takes over a node must not be able to write the registry.
 */
async function redisAccess(
  state: State,
  { url, private: privateServer }: ProvidedRedis,
): Promise<Record<RedisUser, RedisSettings>> {
  if (privateServer === undefined) {
    return { auth: { REDIS_URL: url }, realtime: { REDIS_URL: url } }
  }
  const urls = await makeRedisUsers(url)
  const settingsOf = (user: RedisUser): RedisSettings => {
    const file = `redis-${user}.url`
    state.write(file, `${urls[user]}\n`)
    return { REDIS_URL_FILE: state.path(file), REDIS_PREFIX: prefixes[user] }
  }
  return { auth: settingsOf('auth'), realtime: settingsOf('realtime') }
}

/** Passes secrets in files, because other processes can read an environment. */
function authSettings(state: State, redis: RedisSettings, issuer: string, administrator: string) {
  const { KEY_ENCRYPTION_SECRET, KEY_ENCRYPTION_SECRET_FILE } = process.env
  const ownKey = (KEY_ENCRYPTION_SECRET ?? KEY_ENCRYPTION_SECRET_FILE ?? '') !== ''
  if (!ownKey) {
    state.secret('key-encryption.secret')
  }
  return {
    ...redis,
    ISSUER: issuer,
    ADMIN_IDENTITY: administrator,
    ADMIN_REGISTRATION_CODE_FILE: state.path('admin.code'),
    ...(ownKey ? {} : { KEY_ENCRYPTION_SECRET_FILE: state.path('key-encryption.secret') }),
  }
}

function realtimeSettings(
  state: State,
  redis: RedisSettings,
  authUrl: string,
  { identity }: Credentials,
  port: number,
) {
  return {
    ...redis,
    AUTH_URL: authUrl,
    IDENTITY: identity,
    REGISTRATION_CODE_FILE: state.path(`${identity}.code`),
    NODE_NAME: `realtime-${port}`,
    NAMESPACES: withDemo(process.env['NAMESPACES']),
    PUBLIC_URL: `http://${host}:${port}`,
  }
}

function reportEnd(child: Child, how: string): void {
  print(`\n  ${pc.red(`${child.name} has stopped`)} (${how}); its log is ${child.logFile}`)
  for (const line of lastLines(child, 5)) {
    print(`  ${pc.dim('|')} ${line}`)
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
