import t from 'tap'
import {
  channelOptions,
  type FakeTransport,
  flushed,
  grant,
  MemoryNode,
  send,
  settled,
} from '../../fixtures/memory-node.js'

const inA = { channel: 'a' }
const publish = { channel: 'a', data: 1 }

const ids = ({ messages }: FakeTransport) => messages.map(({ id }) => id)

t.test('a publication waits for the subscribe before it, also across frames', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = () => redis.promise
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: inA }, { id: 3, publish })
  send(connection, { id: 4, publish })
  await flushed()
  t.same(memory.published, [], 'nothing is published before the subscription')
  redis.resolve()
  await flushed()
  t.equal(memory.published.length, 2)
  t.same(ids(transport), [2, 3, 4])
})

t.test(
  'publications do not wait for each other, and nothing waits for another channel',
  async (t) => {
    const memory = new MemoryNode(t)
    const redis = settled()
    const begun: string[] = []
    memory.publishing = (channel) => {
      begun.push(channel)
      return redis.promise
    }
    const { connection, transport } = await memory.connect()
    send(
      connection,
      { id: 2, publish },
      { id: 3, publish },
      { id: 4, publish: { channel: 'b', data: 1 } },
      { id: 5, subscribe: { channel: 'c' } },
    )
    await flushed()
    t.same(begun, ['a', 'a', 'b'])
    t.same(ids(transport), [5])
    redis.resolve()
    await flushed()
    t.same(ids(transport).sort(), [2, 3, 4, 5])
  },
)

t.test('reads follow the publications before them, together', async (t) => {
  const memory = new MemoryNode(t)
  memory.namespaces.set('kept', channelOptions({ historySize: 10, presence: true }))
  const redis = settled()
  memory.publishing = () => redis.promise
  let reads = 0
  memory.reading = async () => {
    reads += 1
    return { position: { offset: memory.published.length, epoch: 'e' }, publications: [] }
  }
  const scopes = ['publish:*', 'history:*', 'presence:*']
  const { connection, transport } = await memory.connect(grant({ scopes }))
  const kept = { channel: 'kept:1' }
  send(
    connection,
    { id: 2, publish: { ...kept, data: 1 } },
    { id: 3, history: kept },
    { id: 4, presence_stats: kept },
  )
  await flushed()
  t.equal(reads, 0)
  redis.resolve()
  await flushed()
  t.same(ids(transport).sort(), [2, 3, 4])
  t.match(
    transport.messages.find(({ id }) => id === 3),
    { history: { offset: 1 } },
  )
})

t.test('a subscribe follows the publication before it', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.publishing = () => redis.promise
  const joined: string[] = []
  memory.joining = async (channel) => void joined.push(channel)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, publish }, { id: 3, subscribe: inA })
  await flushed()
  t.same(joined, [])
  redis.resolve()
  await flushed()
  t.same(ids(transport), [2, 3])
})

t.test('unsubscribe is not overtaken by the subscribe before it', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.publishing = () => redis.promise
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, publish }, { id: 3, subscribe: inA }, { id: 4, unsubscribe: inA })
  await flushed()
  redis.resolve()
  await flushed()
  t.same(ids(transport), [2, 3, 4])
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('reads follow the unsubscribe before them', async (t) => {
  const memory = new MemoryNode(t)
  memory.namespaces.set('room', channelOptions({ presence: true }))
  const room = { channel: 'room:1' }
  const [joining, leaving] = [settled(), settled()]
  memory.joining = () => joining.promise
  memory.leaving = () => leaving.promise
  const scopes = ['subscribe:*', 'presence:*']
  const { connection, transport } = await memory.connect(grant({ scopes }))
  send(
    connection,
    { id: 2, subscribe: room },
    { id: 3, unsubscribe: room },
    { id: 4, presence_stats: room },
  )
  await flushed()
  t.same(ids(transport), [2, 3], 'unsubscribe does not wait for the subscribe that it ends')
  joining.resolve()
  await flushed()
  t.same(ids(transport), [2, 3], 'the client is still listed')
  leaving.resolve()
  await flushed()
  t.match(transport.messages.at(-1), { id: 4, presence_stats: { num_clients: 0 } })
})

t.test('an rpc delays no other command', async (t) => {
  const memory = new MemoryNode(t)
  const application = settled()
  memory.handlers.rpc = () => async () => {
    await application.promise
    return { result: {} }
  }
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, rpc: { method: 'slow' } }, { id: 3, publish })
  await flushed()
  t.same(ids(transport), [3])
  application.resolve()
  await flushed()
  t.same(ids(transport), [3, 2])
})

t.test('a command that waits has no effect once its token is revoked', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = () => redis.promise
  const opened = await memory.connect()
  send(opened.connection, { id: 2, subscribe: inA }, { id: 3, publish })
  await flushed()
  memory.end(opened.grant, 'revoked')
  redis.resolve()
  await flushed()
  t.same(memory.published, [])
  t.same(memory.permitted, [], 'no write is attempted')
  t.same(opened.transport.writes, [])
})
