import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LocalRun } from '@portcullis/contracts/local'
import { close, connect } from '@portcullis/redis'
import getPort from 'get-port'
import t, { type Test } from 'tap'
import { checkout } from '../../src/checkout.js'
import { apiOf, fetchToken } from '../../src/identities/administrator.js'
import { guardProcess } from '../../src/processes/guard.js'

// `npm start` itself, on ports and in a directory of its own, with a Redis of its own.
// Dozens of processes start here; a busy machine needs its time for that.
t.setTimeout(180_000)

const script = `
const { main } = await import('${checkout}/infra/local/dist/start.js')
process.exitCode = await main(process.argv.slice(1), (title, work) => work())
`

interface Run {
  child: ChildProcess
  /** What it has printed. */
  output: () => string
  /** Settles with its exit code, or the signal that ended it. */
  ended: Promise<number | string>
  /** Settles when it has printed `text`, or has ended without. */
  printed: (text: string) => Promise<void>
}

function start(t: Test, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, '--', ...args], {
    // Without colours, which a shell or a CI may ask for: the output is compared.
    env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: '1', REDIS_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // Should this test be killed, its run must not stay.
  if (child.pid !== undefined) {
    child.once('exit', guardProcess(child.pid))
  }
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  return {
    child,
    ended,
    output: () => text,
    async printed(wanted) {
      while (!text.includes(wanted)) {
        if ((await Promise.race([ended, once(child.stdout, 'data')])) !== undefined) {
          if (child.exitCode !== null || child.signalCode !== null) {
            break
          }
        }
      }
    },
  }
}

async function place(t: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-start-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const host = '127.0.0.1'
  const [auth, realtime] = [await getPort({ host }), await getPort({ host })]
  const args = ['--dir', dir, '--auth-port', `${auth}`, '--realtime-port', `${realtime}`]
  return { dir, auth, realtime, args: [...args, '--realtime', '1'] }
}

function localRun(dir: string): LocalRun {
  return JSON.parse(readFileSync(join(dir, 'local.json'), 'utf8'))
}

function pidsOf({ pids }: LocalRun): number[] {
  return [pids.auth, ...pids.realtime, ...(pids.redis === undefined ? [] : [pids.redis])]
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The scopes of an identity, as a user of Redis can read them. */
async function hget(url: string, key: string): Promise<string | null> {
  const redis = connect({ url, onError: () => undefined })
  try {
    await redis.connect()
    return await redis.hget(key, 'scopes')
  } finally {
    await close(redis)
  }
}

/** A process that is not our child tells us nothing when it ends. */
async function gone(pid: number): Promise<void> {
  while (exists(pid)) {
    await delay(20)
  }
}

t.test('starts the workers of auth and of each node', async (t) => {
  const { dir, args } = await place(t)
  const { ended, output, printed, child } = start(t, [...args, '--workers', '2'])
  await printed('Ctrl-C stops')
  t.match(output(), /workers +2, of auth and of each node/)
  const { auth, realtime } = localRun(dir)
  for (const url of [auth, ...realtime]) {
    const metrics = await (await fetch(`${url}/metrics`)).text()
    t.match(metrics, /^portcullis_workers 2$/m, url)
  }
  child.kill('SIGTERM')
  t.equal(await ended, 0)
})

t.test('starts all services, keeps their state, and leaves no process', async (t) => {
  const { dir, args } = await place(t)
  const first = start(t, args)
  await first.printed('Ctrl-C stops')
  t.match(first.output(), 'Portcullis is up')
  t.equal(statSync(join(dir, 'local.json')).mode & 0o777, 0o600)
  const run = localRun(dir)
  t.equal(pidsOf(run).length, 3, 'auth, one realtime node and Redis')
  t.ok(pidsOf(run).every(exists), 'they run')
  t.ok(await fetchToken(run.auth, run.admin), 'the administrator is admitted')
  const key = '{portcullis:0}:identity:realtime'
  t.equal(await hget(run.redis, key), 'introspect feed', 'local.json has the operator')
  const nodes = readFileSync(join(dir, 'redis-realtime.url'), 'utf8').trim()
  await t.rejects(hget(nodes, key), /NOPERM/, 'a node does not reach the registry')
  await t.rejects(
    hget(nodes.replace(/\/\/.*@localhost/, '//'), key),
    'nor does anybody without a password',
  )
  t.notMatch(first.output(), 'shared by auth and the nodes')
  for (const pid of pidsOf(run)) {
    const shown = ['environ', 'cmdline'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8'))
    t.notMatch(shown.join(), /unix:\/\/[a-z]*:/, 'no password in the environment or the arguments')
  }

  const second = start(t, args)
  t.equal(await second.ended, 1)
  t.match(second.output(), `Portcullis runs here already (process ${first.child.pid})`)
  t.ok(pidsOf(run).every(exists), 'and what runs is left alone')

  first.child.kill('SIGINT')
  // What npm does beside the terminal: the same Ctrl-C once more.
  first.child.kill('SIGINT')
  t.equal(await first.ended, 0, first.output())
  t.same(pidsOf(run).filter(exists), [], 'no process is left')
  t.notOk(existsSync(join(dir, 'local.json')))

  const third = start(t, args)
  await third.printed('Ctrl-C stops')
  t.same(localRun(dir).admin, run.admin, 'the administrator is the same')
  t.ok(await fetchToken(run.auth, run.admin), 'and is known to auth')
  const path = '/v1/identities/admin/registration-codes'
  const rotated = await apiOf(run.auth, run.admin)('POST', path, { expireOthersInSeconds: 0 })
  t.equal(rotated.status, 201)
  third.child.kill('SIGTERM')
  t.equal(await third.ended, 0)

  const fourth = start(t, args)
  t.equal(await fourth.ended, 1, 'a code that was replaced does not come back')
  t.match(fourth.output(), /the code in .*admin\.code; if the code was replaced, write the new one/)
})

t.test('takes its processes with it when killed with -9, and can start again', async (t) => {
  const { dir, args } = await place(t)
  const killed = start(t, args)
  await killed.printed('Ctrl-C stops')
  const run = localRun(dir)
  killed.child.kill('SIGKILL')
  await Promise.all(pidsOf(run).map(gone))
  const again = start(t, args)
  await again.printed('Ctrl-C stops')
  t.same(localRun(dir).admin, run.admin)
  again.child.kill('SIGHUP')
  t.equal(await again.ended, 0, 'as when its terminal is closed')
})

t.test('stops on Ctrl-C during the start', async (t) => {
  const { dir, args } = await place(t)
  const run = start(t, args)
  while (!existsSync(join(dir, 'logs', 'auth.log'))) {
    await delay(10)
  }
  run.child.kill('SIGINT')
  t.equal(await run.ended, 0, run.output())
  t.notMatch(run.output(), 'Portcullis is up')
})

t.test('reports a process that dies later', async (t) => {
  const { dir, args } = await place(t)
  const run = start(t, args)
  await run.printed('Ctrl-C stops')
  process.kill(localRun(dir).pids.auth, 'SIGKILL')
  await run.printed('auth has stopped')
  t.match(run.output(), /auth has stopped \(SIGKILL\); its log is .*auth\.log/)
})

t.test('reports each obstacle in one line, and exits with 1', async (t) => {
  const { dir, args, auth } = await place(t)
  const cannot = async (env: NodeJS.ProcessEnv, more: readonly string[] = []) => {
    const run = start(t, [...args, ...more], env)
    t.equal(await run.ended, 1)
    t.notMatch(run.output(), /\n\s+at /, 'no stack')
    t.notMatch(run.output(), 's3cret', 'no password')
    t.notOk(existsSync(join(dir, 'redis.sock')), 'nothing is left')
    return run.output().trimEnd()
  }
  t.match(
    await cannot({ REDIS_URL: 'redis://:s3cret@127.0.0.1:1' }),
    /^cannot start: cannot use the Redis at redis:\/\/127\.0\.0\.1:1: nothing listens there$/,
    'a broken REDIS_URL',
  )
  t.match(await cannot({}, ['--realtime', 'two']), /^cannot start: --realtime takes a number.*$/)
  t.match(
    await cannot({ PATH: '/nonexistent' }),
    /^cannot start: Portcullis needs Redis 7; run `.*`.*$/,
    'no Redis, and no way to get one',
  )
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(auth, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  t.match(
    await cannot({}),
    new RegExp(`^cannot start: port ${auth} is taken by another program, .*$`),
    'a taken port',
  )
  const broken = await cannot({ LOG_LEVEL: 'loud' }, ['--auth-port', `${await getPort()}`])
  t.match(broken, /^cannot start: auth stopped while starting \(exit code 1\); its log is .*\n/)
  t.match(broken, /\| .*LOG_LEVEL/, 'a service that does not start shows its last lines')
})
