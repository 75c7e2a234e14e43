import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { close, connect } from '@portcullis/redis'
import t, { type Test } from 'tap'
import { checkout } from '../../src/checkout.js'
import { makeRedisUsers, redisRules } from '../../src/redis/redis-users.js'
import { startRedis } from '../../src/redis/start-redis.js'
import { socketPath } from '../../src/state/socket-path.js'

async function client(t: Test, url: string) {
  const redis = connect({ url, onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  return redis
}

t.test('listens on a socket in a private directory, and on no port', async (t) => {
  const dir = t.testdir()
  const server = await startRedis({ dir, durable: false })
  t.teardown(() => server.stop())
  const redis = await client(t, server.url)
  t.equal((await redis.config('GET', 'port'))[1], '0', 'it listens on no port')
  t.equal(statSync(socketPath(dir, 'redis.sock')).mode & 0o777, 0o700, 'mode of the socket')
  t.equal(statSync(join(dir, 'redis')).mode & 0o777, 0o700, 'mode of the data')
  t.equal(statSync(join(dir, 'logs', 'redis.log')).mode & 0o777, 0o600, 'mode of the log')
})

t.test('keeps acknowledged writes after kill -9', async (t) => {
  const dir = t.testdir()
  const first = await startRedis({ dir, durable: true })
  t.teardown(() => first.kill())
  await (await client(t, first.url)).set('token', 'kept')
  await first.kill()
  const second = await startRedis({ dir, durable: true })
  t.teardown(() => second.stop())
  t.equal(await (await client(t, second.url)).get('token'), 'kept')
  await second.stop()
  t.throws(() => process.kill(second.pid, 0), { code: 'ESRCH' }, 'stop leaves nothing')
})

t.test('stops a server that an earlier run left', async (t) => {
  const dir = t.testdir()
  const left = await startRedis({ dir, durable: true })
  t.teardown(() => left.kill())
  await (await client(t, left.url)).set('token', 'kept')
  const next = await startRedis({ dir, durable: true })
  t.teardown(() => next.stop())
  await left.child.ended
  t.equal(await (await client(t, next.url)).get('token'), 'kept', 'its data are taken over')
})

t.test('starts in a directory whose path is too long for a socket', async (t) => {
  const dir = join(t.testdir(), 'a directory, with spaces'.repeat(5))
  const server = await startRedis({ dir, durable: false })
  t.teardown(() => server.stop())
  t.equal(await (await client(t, server.url)).ping(), 'PONG')
})

t.test('reports a program that is not a Redis server, with its output', async (t) => {
  await t.rejects(startRedis({ dir: t.testdir(), durable: false, program: '/bin/false' }), {
    code: 'process_failed',
    message: /^redis stopped while starting \(exit code 1\); its log is /,
  })
})

t.test('limits the user of each service to its own keys', async (t) => {
  const dir = t.testdir()
  const password = 'x'.repeat(43)
  const left = await startRedis({ dir, durable: true, password })
  t.teardown(() => left.kill())
  // One that a run before has left is stopped although it has a password.
  const server = await startRedis({ dir, durable: true, password })
  t.teardown(() => server.stop())
  await left.child.ended
  t.equal(statSync(join(dir, 'redis', 'redis.conf')).mode & 0o777, 0o600, 'mode of its password')
  const args = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')
  t.notMatch(args, password, 'no list of processes shows it')
  await t.rejects(client(t, server.url.replace(/:x+@/, ':wrong@')), 'without the password')

  const operator = await client(t, server.url)
  const registry = '{portcullis:0}:identity:realtime'
  await operator.hset(registry, 'scopes', 'feed')
  await operator.xadd('{portcullis:0}:audit:acts', '1-0', 'a', 'b')
  const urls = await makeRedisUsers(server.url)
  const auth = await client(t, urls.auth)
  const realtime = await client(t, urls.realtime)
  t.equal(await auth.hget(registry, 'scopes'), 'feed')
  t.equal((await auth.config('GET', 'appendfsync'))[1], 'always', 'for doctor')
  const own = '{portcullis-realtime:0}:stream:a'
  await realtime.xadd(own, '1-0', 'p', 'x')
  t.equal(await realtime.hsetnx('portcullis-realtime:realtime', 'partitions', 1), 1)
  t.equal(await realtime.spublish('{portcullis-realtime:0}:channel:a', 'x'), 0)
  t.equal(
    await realtime.eval(
      "return redis.call('INFO', 'replication') and redis.call('TIME')[1] * 0",
      0,
    ),
    0,
  )
  const refused = async (user: typeof auth, command: [string, ...string[]]) =>
    t.rejects(
      user.call(...command),
      /NOPERM|can't access|not allowed/,
      command.join(' ').slice(0, 60),
    )
  for (const command of [
    ['HSET', registry, 'scopes', 'admin'],
    ['HGET', registry, 'scopes'],
    ['EXISTS', registry],
    ['DEL', registry],
    ['RENAME', registry, own],
    ['COPY', registry, own],
    ['DUMP', registry],
    ['SORT', own, 'BY', `${registry}->scopes`],
    ['EVAL', `return redis.call('HGET', '${registry}', 'scopes')`, '0'],
    ['PUBLISH', 'portcullis:news', ''],
    ['SUBSCRIBE', 'portcullis:news'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['RANDOMKEY'],
    ['MONITOR'],
    ['CONFIG', 'GET', '*'],
    ['ACL', 'LIST'],
    ['FLUSHALL'],
    ['SHUTDOWN'],
    ['DEBUG', 'OBJECT', registry],
    ['MIGRATE', '127.0.0.1', '1', registry, '0', '1'],
    ['FUNCTION', 'FLUSH'],
    ['SCRIPT', 'FLUSH'],
  ] as [string, ...string[]][]) {
    await refused(realtime, command)
  }
  for (const command of [
    ['XADD', own, '*', 'p', 'forged'],
    ['XDEL', '{portcullis:0}:audit:acts', '1-0'],
    ['SPUBLISH', '{portcullis-realtime:0}:channel:a', 'forged'],
    ['ACL', 'LIST'],
    ['FLUSHALL'],
  ] as [string, ...string[]][]) {
    await refused(auth, command)
  }
})

t.test('agrees with the users in docs/security.md', async (t) => {
  const docs = readFileSync(join(checkout, 'docs', 'security.md'), 'utf8')
  for (const [user, rules] of Object.entries(redisRules)) {
    const [, shown] =
      new RegExp(`^ACL SETUSER ${user} on >\\S+ resetkeys resetchannels (.*)$`, 'm').exec(docs) ??
      []
    t.equal(shown, rules.join(' '), user)
  }
})

const compose = readFileSync(join(checkout, 'infra', 'compose.yaml'), 'utf8')

/** The lines of one entry at this depth, by its name. */
function entry(name: string, indent = '  '): string {
  const [, body = ''] =
    new RegExp(`^${indent}${name}:.*\\n((?:${indent} .*\\n|\\n)*)`, 'm').exec(compose) ?? []
  return body
}

t.test('keeps the nodes of compose.yaml away from the Redis of the registry', async (t) => {
  t.match(entry('auth'), 'REDIS_URL: redis://redis:6379')
  t.match(entry('auth'), 'networks: [default, registry]')
  t.match(entry('redis'), 'networks: [registry]\n')
  t.match(entry('x-realtime-settings', ''), 'REDIS_URL: redis://broker:6379')
  t.match(entry('x-realtime', ''), 'networks: [default, broker]')
  for (const node of ['realtime-1', 'realtime-2']) {
    t.match(entry(node), '<<: *realtime\n')
    t.match(entry(node), '<<: *realtime-settings\n')
    t.notMatch(entry(node), /networks|REDIS_URL/)
  }
  t.match(entry('networks', ''), /registry: \{ internal: true \}\n +broker: \{ internal: true \}/)
})
