import { startSentinels } from '@portcullis/local'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { until } from '../faults/until.js'

t.test('commands go to the master, wherever it is', async (t) => {
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
  await t.test('one that is killed', async (t) => {
    const back = new Promise((resolve) => subscriber.once('ready', resolve))
    await first.kill()
    const asked = performance.now()
    await t.rejects(redis.get('a'))
    t.ok(performance.now() - asked < 1000, 'fails at once')
    const second = await group.promoted(first)
    await until('commands are taken again', () => redis.incr('a').catch(() => undefined))
    t.equal(await second.redis.get('a'), '2')
    await back
    await first.start()
  })

  await t.test('one that lives and only loses its place', async (t) => {
    const second = await group.master()
    const [sentinel] = group.sentinels
    await until('the Sentinel has begun another failover', () =>
      sentinel?.redis.call('SENTINEL', 'FAILOVER', 'portcullis').then(
        () => true,
        () => undefined,
      ),
    )
    const third = await group.promoted(second)
    await until('commands are taken again', () => redis.incr('a').catch(() => undefined))
    t.equal(await third.redis.get('a'), '3')
    // Its Sentinel cuts off whoever is connected, us too.
    await until('the old one knows', async () => {
      const info = await second.redis.info('replication').catch(() => '')
      return info.includes('role:slave') ? true : undefined
    })
  })
})

t.test('an attempt to connect that a failover breaks off is not the last', async (t) => {
  const group = await startSentinels(t)
  const redis = connect({ url: group.url, role: 'subscriber', onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  const first = await group.master()
  const ended = new Promise((resolve) => redis.once('end', resolve))
  const back = new Promise((resolve) => redis.once('ready', resolve))
  // What ioredis does when it hears of the failover on the connection that it has lost.
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

t.test('without any Sentinel the first connection fails, and so does each command', async (t) => {
  const errors: Error[] = []
  const url = 'redis+sentinel://127.0.0.1:1,127.0.0.1:2/portcullis'
  const redis = connect({ url, onError: (error) => errors.push(error) })
  t.teardown(() => close(redis))
  await t.rejects(redis.connect(), /sentinels are unreachable/)
  await t.rejects(redis.get('a'))
  t.ok(errors.length > 0, 'the caller hears of it')
  t.not(redis.status, 'end', 'the attempts go on')
})
