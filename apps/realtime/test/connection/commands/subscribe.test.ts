import t from 'tap'
import { flushed, grant, MemoryNode, send, settled } from '../../fixtures/memory-node.js'

const inA = { channel: 'a' }

t.test('replies after Redis has confirmed, and before the first publication', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = () => redis.promise
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: inA })
  await flushed()
  t.same(transport.writes, [], 'no reply yet')
  redis.resolve()
  await redis.promise
  await flushed()
  memory.hub.deliver('a', Buffer.from('{"data":1}'))
  await flushed()
  t.match(transport.messages, [{ id: 2, subscribe: {} }, { push: { pub: { data: 1 } } }])
})

t.test('needs the scope of the channel, with the subject filled in', async (t) => {
  const memory = new MemoryNode(t)
  const scopes = ['subscribe:user:{sub}', 'subscribe:open:*']
  const { connection, transport } = await memory.connect(grant({ scopes }))
  send(
    connection,
    { id: 2, subscribe: { channel: 'user:ada' } },
    { id: 3, subscribe: { channel: 'user:bob' } },
    { id: 4, subscribe: { channel: 'open:x' } },
    { id: 5, publish: { channel: 'open:x', data: 1 } },
  )
  await flushed()
  const outcome = new Map(transport.messages.map(({ id, error }) => [id, error]))
  t.match(Object.fromEntries(outcome), {
    2: undefined,
    3: { code: 103 },
    4: undefined,
    5: { code: 103 },
  })
})

t.test('rejects a second subscription, and too many channels', async (t) => {
  const { connection, transport } = await new MemoryNode(t).connect()
  send(
    connection,
    ...['a', 'a', 'b', 'c', 'd'].map((channel, at) => ({ id: at + 2, subscribe: { channel } })),
  )
  await flushed()
  const errors = transport.messages.flatMap(({ id, error }) => (error ? [[id, error]] : []))
  t.match(errors, [
    [6, { code: 106 }],
    [3, { code: 105 }],
  ])
})

t.test(
  'replies with a temporary error when Redis is not available, and tries again next time',
  async (t) => {
    const memory = new MemoryNode(t)
    memory.joining = () => Promise.reject(new Error('away'))
    const { connection, transport } = await memory.connect()
    send(connection, { id: 2, subscribe: inA })
    await flushed()
    t.match(transport.messages, [{ id: 2, error: { code: 100, temporary: true } }])
    memory.joining = async () => undefined
    send(connection, { id: 3, subscribe: inA })
    await flushed()
    t.match(transport.messages[1], { id: 3, subscribe: {} })
  },
)

t.test('unsubscribe ends a subscribe in flight', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = () => redis.promise
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: inA }, { id: 3, unsubscribe: inA })
  await flushed()
  t.match(transport.messages, [
    { id: 2, subscribe: {} },
    { id: 3, unsubscribe: {} },
  ])
  redis.resolve()
  await flushed()
  t.equal(memory.hub.counts.channels, 0, 'the node left the channel')
  t.equal(transport.messages.length, 2, 'the subscribe has one reply')
})

t.test('handles subscribe, unsubscribe, subscribe in one frame', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  send(
    connection,
    { id: 2, subscribe: inA },
    { id: 3, unsubscribe: inA },
    { id: 4, subscribe: inA },
  )
  await flushed()
  t.same(transport.messages.map(({ id }) => id).sort(), [2, 3, 4])
  t.equal(memory.hub.counts.subscriptions, 1)
  transport.writes.length = 0
  memory.hub.deliver('a', Buffer.from('{"data":1}'))
  await flushed()
  t.equal(transport.messages.length, 1)
})

t.test('leaves nothing behind when the connection ends before Redis confirms', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = () => redis.promise
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: inA })
  connection.left()
  redis.resolve()
  await flushed()
  t.same(transport.writes, [])
  t.match(memory.hub.counts, { clients: 0, users: 0, subscriptions: 0, channels: 0 })
})
