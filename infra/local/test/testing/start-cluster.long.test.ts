import { slotOf } from '@portcullis/redis'
import t from 'tap'
import { startCluster } from '../../src/testing/redis/start-cluster.js'

t.test(
  'a Cluster with replicas: a master that is killed has its replica in its place',
  async (t) => {
    const cluster = await startCluster(t, { replicas: 1 })
    t.equal(cluster.servers.length, 6)
    const slot = slotOf('a')
    const master = await cluster.masterOf(slot)
    await master.redis.set('a', '1')
    await master.redis.wait(1, 1000)
    await master.kill()
    const next = await cluster.promoted(slot, master)
    t.not(next, master)
    t.equal(await next.redis.get('a'), '1')
    await master.start()
    await cluster.settled()
    t.match(await master.redis.info('replication'), /role:slave/, 'the old one is a replica now')
  },
)

t.test('moves a slot with its keys', async (t) => {
  const cluster = await startCluster(t)
  const slot = slotOf('a')
  const from = await cluster.masterOf(slot)
  const to = cluster.servers.find((server) => server !== from)
  if (to === undefined) {
    throw new Error('there are three')
  }
  await from.redis.set('a', '1')
  await cluster.moveSlot(slot, to)
  t.equal(await cluster.masterOf(slot), to)
  t.equal(await to.redis.get('a'), '1')
})
