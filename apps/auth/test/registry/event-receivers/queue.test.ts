import { pollMethod } from '@portcullis/contracts/event-receivers'
import t from 'tap'
import { enqueue } from '../../../src/registry/event-receivers/enqueue.js'
import {
  addEventReceiver,
  feedEnd,
  queueEvents,
  revoke,
  settleEvents,
  takeEvents,
} from '../../../src/registry/index.js'
import { open } from '../fixtures/open.js'

const stored = { aud: 'x', delivery: { method: pollMethod } } as const

t.test('queues nothing when the events were read from another cursor', async (t) => {
  const { registry, redis } = await open(t)
  const { id } = await addEventReceiver(registry, stored)
  const from = await feedEnd(registry)
  const event = (jti: string) => ({ jti, at: 0, what: { kind: 'verification' as const } })
  const first = { events: [event('a')], move: { from, to: '1-1' } }
  t.same(await enqueue(registry, id, 10, first), [1, 0])
  const late = { events: [event('b')], move: { from, to: '2-2' } }
  t.equal(await enqueue(registry, id, 10, late), null)
  t.same(
    (await takeEvents(registry, id, 10)).map(({ jti }) => jti),
    ['a'],
  )
  t.equal(await redis.hget(registry.keys.eventProgress(id), 'cursor'), '1-1')
})

t.test(
  'queues one event for a revocation of everything, whenever its parts are read',
  async (t) => {
    const { registry, redis } = await open(t, { partitions: 2 })
    const receiver = await addEventReceiver(registry, stored)
    const { id } = receiver
    const revocation = await revoke(registry, { selector: { all: true } })
    const [first = ''] = (await feedEnd(registry)).split(',')
    const cursor = registry.keys.eventProgress(id)
    for (const from of ['0-0,0-0', `${first},0-0`]) {
      await redis.hset(cursor, 'cursor', from)
      await queueEvents(registry, receiver, 10)
      const jtis = (await takeEvents(registry, id, 10)).map(({ jti }) => jti)
      t.same(jtis, from === '0-0,0-0' ? [`${revocation.id}.${id}`] : [])
      await settleEvents(registry, id, new Map(jtis.map((jti) => [jti, 'delivered'])))
    }
    t.equal(await redis.hget(cursor, 'cursor'), await feedEnd(registry))
  },
)
