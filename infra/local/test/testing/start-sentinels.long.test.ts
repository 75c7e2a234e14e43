import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { startSentinels } from '../../src/testing/redis/start-sentinels.js'

t.test('Sentinels promote the replica of a master that is killed', async (t) => {
  const group = await startSentinels(t)
  const master = await group.master()
  t.equal(master, group.servers[0])
  const redis = connect({ url: group.url, onError: () => undefined })
  t.teardown(() => close(redis))
  await redis.connect()
  await redis.set('a', '1')
  await redis.wait(1, 1000)
  await master.kill()
  const next = await group.promoted(master)
  t.equal(next, group.servers[1])
  t.equal(await next.redis.get('a'), '1')
})
