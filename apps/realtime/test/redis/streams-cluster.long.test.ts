import { once } from 'node:events'
import { encodePublication, JsonText } from '@portcullis/protocol'
import { slotOf } from '@portcullis/redis'
import t, { type Test } from 'tap'
import { keys } from '../../src/broker/keys.js'
import { always } from '../fixtures/always.js'
import { lossy, numbersScene } from '../fixtures/numbers.js'
import { aCluster, cutOff, openBroker, waitUntil } from '../fixtures/open-broker.js'

const on = await aCluster(t, 1)
const { cluster, partitions, url } = on
const channels = Array.from({ length: 30 }, (_, at) => `chat:${at}`)
const [first = ''] = channels

async function scene(t: Test) {
  const started = await numbersScene(t, url, channels)
  const names = keys(started.prefix, partitions)
  const slotOfChannel = (channel: string) => slotOf(names.channel(channel))
  const slot = slotOfChannel(first)
  return {
    ...started,
    slot,
    /** Returns the channels of the master that has this slot now. */
    async affected(): Promise<string[]> {
      const master = await cluster.masterOf(slot)
      const masters = await Promise.all(
        channels.map((channel) => cluster.masterOf(slotOfChannel(channel))),
      )
      return channels.filter((_, at) => masters[at] === master)
    },
  }
}

/** Returns the slot's master and its replica. */
async function replicaOf(slot: number) {
  const master = await cluster.masterOf(slot)
  for (const server of cluster.servers) {
    const info = await server.redis.info('replication')
    if (!info.includes(`master_port:${master.port}\r`)) {
      continue
    }
    return { master, replica: server }
  }
  throw new Error('the master has no replica')
}

t.test(
  'delivers each publication once and in order while slots move and connections break',
  async (t) => {
    const { nodes, numbers, slot, end } = await scene(t)
    const masters = cluster.servers.slice(0, 3)
    const from = await cluster.masterOf(slot)
    const to = masters.find((server) => server !== from) ?? from
    for (const server of [to, from, to, from]) {
      await cluster.moveSlot(slot, server)
      await numbers.more(3)
    }
    for (const type of ['PUBSUB', 'NORMAL']) {
      for (const { redis } of masters) {
        await redis.call('CLIENT', 'KILL', 'TYPE', type)
      }
      await numbers.more(5)
    }
    // Redis disconnects a subscriber with more unread bytes than this.
    const limit = (bytes: number) =>
      Promise.all(
        masters.map(({ redis }) =>
          redis.config('SET', 'client-output-buffer-limit', `pubsub ${bytes} 0 0`),
        ),
      )
    numbers.padding = '.'.repeat(2000)
    await limit(1000)
    await numbers.more(3)
    await limit(1e8)
    t.same(await end(), [[], []], 'no loss was reported')
    for (const node of nodes) {
      t.equal((await fetch(`${node.url}/ready`)).status, 200)
    }
  },
)

t.test('reports every loss when a paused master is replaced and returns', async (t) => {
  const { numbers, slot, affected, end } = await scene(t)
  const mayLose = await affected()
  const { master } = await replicaOf(slot)
  master.pause()
  t.teardown(() => master.resume())
  await cluster.promoted(slot, master)
  await numbers.more(5)
  master.resume()
  await cluster.settled()
  for (const lost of await end()) {
    t.same(
      lost.filter((channel) => !mayLose.includes(channel)),
      [],
    )
  }
})

t.test('loses nothing unreported when a master is killed under load', async (t) => {
  const { slot, affected, end } = await scene(t)
  const mayLose = await affected()
  const { master } = await replicaOf(slot)
  await master.kill()
  await cluster.promoted(slot, master)
  for (const lost of await end()) {
    t.same(
      lost.filter((channel) => !mayLose.includes(channel)),
      [],
    )
  }
  await master.start()
  await cluster.settled()
})

t.test('reports publications lost after delivery, only to their channel', async (t) => {
  const { slot, numbers, heard, publish } = await scene(t)
  await numbers.stop()
  const last = numbers.acknowledged.get(first) ?? 0
  const { master, replica } = await replicaOf(slot)
  await cutOff(replica, master)
  await publish(first, last + 1)
  const lists = heard.map((each) => each.get(first) ?? [])
  await waitUntil(() => lists.every((list) => list.at(-1) === last + 1))
  await master.kill()
  replica.resume()
  await cluster.promoted(slot, master)
  await publish(first, last + 2)
  await waitUntil(() => lists.every((list) => list.includes('lost')))
  await publish(first, last + 3)
  await waitUntil(() => lists.every((list) => list.at(-1) === last + 3))
  for (const one of heard) {
    t.same(lossy(one), [first])
  }
  await master.start()
  await cluster.settled()
})

t.test('reports publications lost after acknowledgement and before delivery', async (t) => {
  const publisher = await openBroker(t, on)
  const reader = await openBroker(t, on, { prefix: publisher.prefix })
  const history = { size: 10, ttlSeconds: 60 }
  const publish = ({ broker }: typeof publisher, data: number) =>
    broker.streams.publish('a', encodePublication({ data: JsonText.of(data) }), always, { history })
  const begin = await publish(publisher, 1)
  const slot = slotOf(publisher.names.channel('a'))
  const { master, replica } = await replicaOf(slot)
  await cutOff(replica, master)
  t.match(await publish(publisher, 2), { offset: 2 })
  const restored = once(publisher.events, 'restored')
  await master.kill()
  replica.resume()
  await cluster.promoted(slot, master)
  await restored
  await waitUntil(() => publisher.broker.problem() === undefined)
  await waitUntil(() => reader.broker.problem() === undefined)
  const since = begin ?? { offset: 0, epoch: '' }
  await publish(reader, 3)
  await publish(publisher, 4)
  const { position, publications } = await reader.broker.streams.history('a', {
    since,
    limit: -1,
    maxBytes: 1e6,
  })
  t.equal(position.epoch, since.epoch)
  t.match(publications, [{ after: 1 }, {}], 'the lost publication has left no trace')
  await publisher.broker.streams.disownLost()
  const after = await reader.broker.streams.history('a', { since, limit: -1, maxBytes: 1e6 })
  t.not(after.position.epoch, since.epoch)
  await master.start()
  await cluster.settled()
})
