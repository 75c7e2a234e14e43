import { statSync } from 'node:fs'
import { join } from 'node:path'
import { close, connect } from '@portcullis/redis'
import t, { type Test } from 'tap'
import { startRedis } from '../../src/redis/start-redis.js'
import { socketPath } from '../../src/socket-path.js'

async function client(t: Test, url: string) {
  const redis = connect({ url, onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  return redis
}

t.test('only its owner reaches it: a socket in a private directory, and no port', async (t) => {
  const dir = t.testdir()
  const server = await startRedis({ dir, durable: false })
  t.teardown(() => server.stop())
  const redis = await client(t, server.url)
  t.equal((await redis.config('GET', 'port'))[1], '0', 'it listens on no port')
  t.equal(statSync(socketPath(dir, 'redis.sock')).mode & 0o777, 0o700, 'mode of the socket')
  t.equal(statSync(join(dir, 'redis')).mode & 0o777, 0o700, 'mode of the data')
  t.equal(statSync(join(dir, 'logs', 'redis.log')).mode & 0o777, 0o600, 'mode of the log')
})

t.test('what was answered is there after kill -9', async (t) => {
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

t.test('a server that an earlier run left behind is stopped first', async (t) => {
  const dir = t.testdir()
  const left = await startRedis({ dir, durable: true })
  t.teardown(() => left.kill())
  await (await client(t, left.url)).set('token', 'kept')
  const next = await startRedis({ dir, durable: true })
  t.teardown(() => next.stop())
  await left.child.ended
  t.equal(await (await client(t, next.url)).get('token'), 'kept', 'its data are taken over')
})

t.test('a path that is too long for a socket does not matter', async (t) => {
  const dir = join(t.testdir(), 'a directory, with spaces'.repeat(5))
  const server = await startRedis({ dir, durable: false })
  t.teardown(() => server.stop())
  t.equal(await (await client(t, server.url)).ping(), 'PONG')
})

t.test('a program that is no server: one line and what it said', async (t) => {
  await t.rejects(startRedis({ dir: t.testdir(), durable: false, program: '/bin/false' }), {
    code: 'process_failed',
    message: /^redis stopped while starting \(exit code 1\); its log is /,
  })
})
