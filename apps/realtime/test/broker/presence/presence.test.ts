import { EventEmitter, once } from 'node:events'
import { close, connect } from '@portcullis/redis'
import t, { type Test } from 'tap'
import { keys } from '../../../src/broker/keys.js'
import { Presence } from '../../../src/broker/presence/presence.js'
import { Writes } from '../../../src/broker/writes.js'
import { always } from '../../fixtures/always.js'
import { randomPrefix, redisUrl } from '../../fixtures/realtime-node.js'

const names = keys(randomPrefix(), 1)
const ada = { user: 'ada', client: 'c1' }
const phone = { user: 'ada', client: 'c2' }
const bob = { user: 'bob', client: 'c3' }

async function node(t: Test, ttlMs = 60_000) {
  const redis = connect({ url: redisUrl, onError: () => undefined })
  await redis.connect()
  const presence = new Presence({
    redis,
    keys: names,
    writes: new Writes(redis),
    permit: always,
    ttlMs,
    onError: (error) => t.fail(error),
  })
  t.teardown(async () => {
    await presence.close()
    await close(redis)
  })
  return { redis, presence }
}

const present = async (presence: Presence, channel: string) =>
  (await presence.present(channel, 1e6))?.infos ?? []

t.test('lists clients of all nodes until they leave', async (t) => {
  const [one, two] = [await node(t), await node(t)]
  await one.presence.enter('a', ada, always)
  await one.presence.enter('a', phone, always)
  await two.presence.enter('a', bob, always)
  t.same(new Set(await present(two.presence, 'a')), new Set([ada, phone, bob]))
  t.same((await two.presence.stats('a')).stats, { num_clients: 3, num_users: 2 })
  t.same(await present(two.presence, 'b'), [])
  await one.presence.leave('a', ada)
  t.same(new Set(await present(one.presence, 'a')), new Set([phone, bob]))
  await one.presence.close()
  t.same(await present(two.presence, 'a'), [bob], 'a closing node removes its clients')
})

t.test('restores what Redis has lost with the next renewal', async (t) => {
  const { redis, presence } = await node(t)
  await presence.enter('lost', ada, always)
  await presence.enter('lost', bob, always)
  await presence.leave('lost', bob)
  await redis.del(names.present('lost'))
  t.same(await present(presence, 'lost'), [])
  await presence.renew()
  t.same(await present(presence, 'lost'), [ada])
})

t.test('does not bring back a client that leaves during a renewal', async (t) => {
  const { presence } = await node(t)
  await Promise.all(
    Array.from({ length: 1200 }, (_, at) =>
      presence.enter('many', { user: 'u', client: `${at}` }, always),
    ),
  )
  const renewing = presence.renew()
  await presence.leave('many', { user: 'u', client: '1100' })
  await renewing
  t.equal((await presence.stats('many')).stats.num_clients, 1199)
  t.equal((await present(presence, 'many')).length, 1199, 'more than one page')
  t.equal(await presence.present('many', 20_000), undefined, 'more than maxBytes')
})

t.test('expires entries of a node that is gone', async (t) => {
  const gone = connect({ url: redisUrl, onError: () => undefined })
  await gone.connect()
  const left = new Presence({
    redis: gone,
    keys: names,
    writes: new Writes(gone),
    permit: always,
    ttlMs: 900,
    onError: () => undefined,
  })
  const lives = await node(t, 900)
  await left.enter('time', ada, always)
  await lives.presence.enter('time', bob, always)
  // Imitates a killed process: its connection is closed, and its timer can renew nothing.
  gone.disconnect()
  const changed = new EventEmitter()
  const look = setInterval(async () => {
    if ((await present(lives.presence, 'time')).length === 1) {
      changed.emit('gone')
    }
  }, 20)
  await once(changed, 'gone')
  clearInterval(look)
  t.same(await present(lives.presence, 'time'), [bob])
  await left.close()
})
