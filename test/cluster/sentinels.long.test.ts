import { startSentinels } from '@portcullis/local'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { until } from '../faults/until.js'

t.test('commands go to the current master', async (t) => {
  const group = await startSentinels(t, { replicas: 2 })
  const redis = connect({ url: group.url, onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  const subscriber = connect({ url: group.url, role: 'subscriber', onError: () => undefined })
  t.teardown(() => close(subscriber))
  await subscriber.connect()
  await redis.set('a', '1')
  t.equal(await redis.wait(2, 1000), 2)

  const first = await group.master()
  await t.test('after the master was killed', async (t) => {
    const back = new Promise((resolve) => subscriber.once('ready', resolve))
    await first.kill()
    const asked = performance.now()
    await t.rejects(redis.get('a'))
    t.ok(performance.now() - asked < 1000, 'fails at once')
    const second = await group.promoted(first)
    await until('commands succeed again', () => redis.incr('a').catch(() => undefined))
    t.equal(await second.redis.get('a'), '2')
    await back
    await first.start()
  })

  await t.test('after a failover from a running master', async (t) => {
    const second = await group.master()
    const [sentinel] = group.sentinels
    await until('the Sentinel has started another failover', () =>
      sentinel?.redis.call('SENTINEL', 'FAILOVER', 'portcullis').then(
        () => true,
        () => undefined,
      ),
    )
    const third = await group.promoted(second)
    await until('commands succeed again', () => redis.incr('a').catch(() => undefined))
    t.equal(await third.redis.get('a'), '3')
    // The Sentinel closes all connections to the old master, this one included.
    await until('the old master has become a replica', async () => {
      const info = await second.redis.info('replication').catch(() => '')
      return info.includes('role:slave') ? true : undefined
    })
  })
})

t.test('reconnects after a failover has interrupted an attempt to connect', async (t) => {
  const group = await startSentinels(t)
  const redis = connect({ url: group.url, role: 'subscriber', onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  const first = await group.master()
  const ended = new Promise((resolve) => redis.once('end', resolve))
  const back = new Promise((resolve) => redis.once('ready', resolve))
  // As ioredis does when it learns of the failover on its lost connection.
  redis.on('connecting', () => {
    if (first.running) {
      return
    }
    setImmediate(() => Reflect.get(redis, 'connector').disconnect())
    redis.removeAllListeners('connecting')
  })
  await first.kill()
  await ended
  await group.promoted(first)
  await back
  t.equal(await redis.ping(), 'PONG')
})

t.test('the first connection and every command fail without a Sentinel', async (t) => {
  const errors: Error[] = []
  const url = 'redis+sentinel://127.0.0.1:1,127.0.0.1:2/portcullis'
  const redis = connect({ url, onError: (error) => errors.push(error) })
  t.teardown(() => close(redis))
  await t.rejects(redis.connect(), /sentinels are unreachable/)
  await t.rejects(redis.get('a'))
  t.ok(errors.length > 0, 'the error is reported')
  t.not(redis.status, 'end', 'the client keeps trying')
})
