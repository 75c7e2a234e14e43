import { once } from 'node:events'
import { encodePublication, JsonText } from '@portcullis/protocol'
import { slotOf } from '@portcullis/redis'
import t from 'tap'
import { always } from '../fixtures/always.js'
import { testBroker } from '../fixtures/broker-behaviour.js'
import { aCluster, channelOf, openBroker, subscribers, waitUntil } from '../fixtures/open-broker.js'

const on = await aCluster(t)
const { cluster } = on
const one = encodePublication({ data: JsonText.of(1) })
const history = { size: 10, ttlSeconds: 60 }

t.test('connects nodes through a Cluster', (t) => testBroker(t, on))

t.test('uses one connection for each master, and lists channels of all partitions', async (t) => {
  const { broker, names } = await openBroker(t, on)
  const channels = Array.from({ length: 300 }, (_, at) => `many:${at}`)
  await Promise.all(channels.map((channel) => broker.channels.join(channel)))
  t.equal(new Set(channels.map((channel) => names.partitionOf(channel))).size, 64)
  for (const { redis } of cluster.servers) {
    const clients = String(await redis.client('LIST', 'TYPE', 'PUBSUB'))
    t.equal(clients.match(/name=realtime-sub /g)?.length, 1)
  }
  t.same(new Set(await broker.channels.names()), new Set(channels))
  t.same(await broker.channels.names('many:1?'), await broker.channels.names('many:1[0-9]'))
  t.equal((await broker.channels.names('many:1?')).length, 10)
  const at = await Promise.all(
    channels.map((channel) => broker.streams.publish(channel, one, always, { history })),
  )
  t.same(await broker.streams.positions([...channels, 'none']), [...at, undefined])
})

t.test('subscribes again to 5,000 channels in few commands after a reconnect', async (t) => {
  const { broker } = await openBroker(t, on)
  const channels = Array.from({ length: 5000 }, (_, at) => `many:${at}`)
  await Promise.all(channels.map((channel) => broker.channels.join(channel)))
  for (const { redis } of cluster.servers) {
    await redis.config('RESETSTAT')
  }
  const lost = waitUntil(() => broker.problem() !== undefined)
  for (const { redis } of cluster.servers) {
    await redis.client('KILL', 'TYPE', 'PUBSUB')
  }
  await lost
  await waitUntil(() => broker.problem() === undefined)
  let commands = 0
  for (const { redis } of cluster.servers) {
    const stats = await redis.info('commandstats')
    commands += Number(/cmdstat_ssubscribe:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }
  t.equal(commands, 64, 'one for each partition')
  t.equal((await broker.channels.names()).length, 5000)
})

t.test('follows a partition that moves and moves back', async (t) => {
  const { broker, events, names, publication } = await openBroker(t, on)
  const [moved, stays] = [channelOf(names, 'moved', 20), channelOf(names, 'stays', 21)]
  await Promise.all([broker.channels.join(moved), broker.channels.join(stays)])
  const slot = slotOf(names.channel(moved))
  const from = await cluster.masterOf(slot)
  const to = cluster.servers.find((server) => server !== from) ?? from
  for (const server of [to, from]) {
    const restored = once(events, 'restored')
    await cluster.moveSlot(slot, server)
    await restored
    await waitUntil(() => broker.problem() === undefined)
    t.equal(await subscribers(on, names.channel(moved)), 1)
    for (const channel of [moved, stays]) {
      const next = publication()
      await broker.streams.publish(channel, one, always)
      t.equal((await next)[0], channel)
    }
  }
  await cluster.moveSlot(slot, to)
  await cluster.moveSlot(slot, from)
  const next = publication()
  await waitUntil(() => broker.problem() === undefined)
  await broker.streams.publish(moved, one, always)
  t.equal((await next)[0], moved, 'also when it returns at once')
})

t.test(
  'accepts publications during a long slot migration and delivers them afterwards',
  async (t) => {
    const { broker, names, publication } = await openBroker(t, on)
    const channel = channelOf(names, 'moving', 40)
    await broker.channels.join(channel)
    const first = await broker.streams.publish(channel, one, always, { history })
    const slot = slotOf(names.channel(channel))
    const from = await cluster.masterOf(slot)
    const to = cluster.servers.find((server) => server !== from) ?? from
    const move = await cluster.beginMove(slot, to)
    const next = publication()
    t.match(await broker.streams.publish(channel, one, always, { history }), {
      offset: (first?.offset ?? 0) + 1,
    })
    t.equal((await next)[0], channel)
    await move.finish()
    const last = await broker.streams.publish(channel, one, always, { history })
    t.equal(last?.epoch, first?.epoch)
    t.equal(
      (await broker.streams.history(channel, { limit: -1, maxBytes: 1e6 })).publications.length,
      3,
    )
  },
)

t.test('notices a hanging master; only its partitions are away', async (t) => {
  const { broker, names } = await openBroker(t, on, { probeMs: 200 })
  const gone = await cluster.masterOf(slotOf(names.channel(channelOf(names, 'a', 63))))
  t.teardown(() => gone.resume())
  gone.pause()
  await waitUntil(() => broker.problem() !== undefined)
  t.match(broker.problem(), /^Redis is away for 2[12] of 64 partitions$/)
  await t.rejects(broker.channels.join(channelOf(names, 'a', 63)), { code: 'away' })
  gone.resume()
  await waitUntil(() => broker.problem() === undefined)
  await broker.channels.join(channelOf(names, 'a', 63))
  await cluster.settled()
})
