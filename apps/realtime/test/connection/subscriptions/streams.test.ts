import { encodePublication, JsonText } from '@portcullis/protocol'
import t, { type Test } from 'tap'
import { channelOptions, flushed, grant, MemoryNode, send } from '../../fixtures/memory-node.js'

const kept = channelOptions({ historySize: 10, recovery: true })
const chat = { channel: 'chat:1' }
const stored = [1, 2, 3].map((offset) => ({
  offset,
  encoded: encodePublication({ data: JsonText.of(offset) }),
}))

function node(t: Test): MemoryNode {
  const memory = new MemoryNode(t)
  memory.namespaces.set('chat', kept)
  memory.reading = async (_channel, since) => ({
    position: { offset: 3, epoch: 'e' },
    publications: since === undefined ? [] : stored.filter(({ offset }) => offset > since.offset),
  })
  return memory
}

t.test('replies with the position at which a subscription begins', async (t) => {
  const { connection, transport } = await node(t).connect()
  send(connection, { id: 2, subscribe: chat })
  await flushed()
  t.same(transport.messages, [
    { id: 2, subscribe: { recoverable: true, positioned: true, offset: 3, epoch: 'e' } },
  ])
})

t.test('recovers missed publications in the reply', async (t) => {
  const memory = node(t)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { ...chat, recover: true, offset: 1, epoch: 'e' } })
  await flushed()
  const next = encodePublication({ data: JsonText.of(4) })
  memory.hub.deliver('chat:1', next, { offset: 4, epoch: 'e' })
  await flushed()
  t.same(transport.messages, [
    {
      id: 2,
      subscribe: {
        recoverable: true,
        positioned: true,
        offset: 3,
        epoch: 'e',
        was_recovering: true,
        recovered: true,
        publications: [
          { data: 2, offset: 2 },
          { data: 3, offset: 3 },
        ],
      },
    },
    { push: { channel: 'chat:1', pub: { data: 4, offset: 4 } } },
  ])
})

t.test(
  'counts read bytes: above the rate history is refused, and nothing is recovered',
  async (t) => {
    const memory = new MemoryNode(t, { bytesPerSecond: 1000, burstSeconds: 1 })
    memory.namespaces.set('chat', kept)
    const encoded = encodePublication({ data: JsonText.of('x'.repeat(2000)) })
    memory.reading = async (_channel, since) => ({
      position: { offset: 1, epoch: 'e' },
      publications: since?.offset === 1 ? [] : [{ offset: 1, encoded }],
    })
    const scopes = ['history:*', 'subscribe:*']
    const { connection, transport } = await memory.connect(grant({ scopes }))
    send(connection, { id: 2, history: { ...chat, limit: 1 } })
    await flushed()
    send(connection, { id: 3, history: { ...chat, limit: 1 } })
    const recover = { ...chat, recover: true, offset: 0, epoch: 'e' }
    send(connection, { id: 4, subscribe: recover })
    send(connection, { id: 5, subscribe: { ...recover, channel: 'chat:2', flag: 2 } })
    await flushed()
    t.match(transport.messages[0], { id: 2, history: { publications: [{ offset: 1 }] } })
    t.match(transport.messages[1], { id: 3, error: { code: 111, temporary: true } })
    const [refused, subscribed] = transport.messages.slice(2)
    t.same(refused, { id: 5, error: { code: 112, message: 'unrecoverable position' } })
    t.same(subscribed, {
      id: 4,
      subscribe: {
        recoverable: true,
        positioned: true,
        offset: 1,
        epoch: 'e',
        was_recovering: true,
      },
    })
    t.equal(memory.limited, 3)
    const other = await memory.connect(grant({ scopes }))
    send(other.connection, { id: 2, history: { ...chat, limit: 1 } })
    await flushed()
    t.match(other.transport.messages, [{ id: 2, history: {} }], 'another connection is not charged')
  },
)

t.test('reports that missed publications are lost', async (t) => {
  const { connection, transport } = await node(t).connect()
  send(connection, { id: 2, subscribe: { ...chat, recover: true, offset: 1, epoch: 'old' } })
  await flushed()
  t.match(transport.messages, [
    { id: 2, subscribe: { was_recovering: true, offset: 3, epoch: 'e' } },
  ])
  t.notMatch(transport.messages, [{ subscribe: { recovered: true } }])
})

t.test('a new epoch ends the subscription with 2500', async (t) => {
  const memory = node(t)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: chat })
  await flushed()
  transport.writes.length = 0
  memory.reading = async () => ({ position: { offset: 1, epoch: 'new' }, publications: [] })
  memory.hub.deliver('chat:1', encodePublication({ data: JsonText.of(1) }), {
    offset: 1,
    epoch: 'new',
  })
  await flushed()
  await flushed()
  t.same(transport.messages, [
    {
      push: {
        channel: 'chat:1',
        unsubscribe: { code: 2500, reason: 'insufficient state' },
      },
    },
  ])
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('history needs its scope, and a namespace with history', async (t) => {
  const memory = node(t)
  const scopes = ['subscribe:*', 'history:*']
  const { connection, transport } = await memory.connect(grant({ scopes }))
  send(
    connection,
    { id: 2, history: { ...chat, limit: 10 } },
    { id: 3, history: { ...chat, since: { offset: 2, epoch: 'e' }, limit: -1 } },
    { id: 4, history: { ...chat, since: { offset: 2, epoch: 'old' } } },
    { id: 5, history: { channel: 'other' } },
    { id: 6, history: { ...chat, since: null } },
    { id: 7, history: { ...chat, limit: 'x' } },
  )
  await flushed()
  const byId = new Map(transport.messages.map(({ id, ...reply }) => [id, reply]))
  t.match(byId.get(2), { history: { offset: 3, epoch: 'e', publications: [] } })
  t.match(byId.get(3), { history: { publications: [{ data: 3, offset: 3 }] } })
  t.match(byId.get(4), { error: { code: 112 } })
  t.match(byId.get(5), { error: { code: 108 } })
  t.match(byId.get(6), { history: { offset: 3 } })
  t.match(byId.get(7), { error: { code: 107 } })

  const without = await memory.connect()
  send(without.connection, { id: 2, history: chat })
  await flushed()
  t.match(without.transport.messages, [{ id: 2, error: { code: 103 } }])
})

t.test('rejects publications in a namespace where clients may not publish', async (t) => {
  const memory = new MemoryNode(t)
  memory.namespaces.set('news', channelOptions({ clientPublish: false }))
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, publish: { channel: 'news:1', data: 1 } })
  await flushed()
  t.match(transport.messages, [{ id: 2, error: { code: 103 } }])
  t.same(memory.published, [])
})
