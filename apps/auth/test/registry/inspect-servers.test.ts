import { startRedis } from '@portcullis/local'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { inspectServers } from '../../src/registry/index.js'

t.test('returns settings, facts and clock of a Redis', async (t) => {
  const server = await startRedis({ dir: t.testdir(), durable: true })
  t.teardown(() => server.stop())
  const redis = connect({ url: server.url, onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  await redis.config('SET', 'maxmemory', '100mb', 'min-replicas-to-write', '0')

  const inspect = async () => {
    const { cluster, servers } = await inspectServers({ redis })
    t.notOk(cluster)
    t.equal(servers.length, 1)
    return servers[0]
  }
  const all = await inspect()
  t.match(all, {
    answers: true,
    role: 'master',
    replicas: 0,
    lastWrite: 'ok',
    version: /^\d+\.\d+\.\d+/,
    maxMemory: 104_857_600,
    usedMemory: Number,
    systemMemory: Number,
    settings: {
      appendonly: 'yes',
      appendfsync: 'always',
      maxmemory: '104857600',
      'maxmemory-policy': 'noeviction',
      'min-replicas-to-write': '0',
      'min-replicas-max-lag': '10',
    },
  })
  t.equal(all?.server, undefined)
  const { clockOffsetMs = Number.NaN, roundTripMs = Number.NaN } = all ?? {}
  t.ok(roundTripMs >= 0)
  t.ok(Math.abs(clockOffsetMs) <= roundTripMs / 2 + 5, 'the clocks agree')

  await t.test('leaves out what the user may not read', async (t) => {
    await redis.acl('SETUSER', 'app', 'on', 'nopass', '~*', '&*', '+@all', '-config')
    await redis.auth('app', 'any')
    const some = await inspect()
    t.equal(some?.settings, undefined)
    t.match(some, { answers: true, lastWrite: 'ok', clockOffsetMs: Number })
    await redis.acl('SETUSER', 'app', '-info')
    t.same(Object.keys((await inspect()) ?? {}).sort(), ['answers', 'clockOffsetMs', 'roundTripMs'])
  })

  await t.test('a stopped Redis is reported as not answering', async (t) => {
    await server.kill()
    t.same(await inspect(), { answers: false })
  })
})
