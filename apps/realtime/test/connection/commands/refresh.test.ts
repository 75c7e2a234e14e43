import t from 'tap'
import { flushed, grant, MemoryNode, send, settled } from '../../fixtures/memory-node.js'
import { expiredToken } from '../../fixtures/unsigned-token.js'

const refresh = { token: 'second' }

t.test('watches the new grant before it releases the old one', async (t) => {
  const memory = new MemoryNode(t)
  const second = grant({ jti: 'second' })
  memory.introspecting = async () => second
  const opened = await memory.connect()
  send(opened.connection, { id: 2, refresh })
  await flushed()
  t.match(opened.transport.messages, [{ id: 2, refresh: { expires: true } }])
  t.equal(memory.holders.get(opened.grant)?.size, 0, 'the old grant is released')
  memory.end(opened.grant, 'revoked')
  t.equal(opened.transport.ending, undefined)
  memory.end(second, 'revoked')
  t.equal(opened.transport.ending, 4500)
})

t.test('ends the connection when the old token is revoked during the refresh', async (t) => {
  const memory = new MemoryNode(t)
  const auth = settled<ReturnType<typeof grant>>()
  memory.introspecting = () => auth.promise
  const opened = await memory.connect()
  send(opened.connection, { id: 2, refresh })
  memory.end(opened.grant, 'revoked')
  t.equal(opened.transport.ending, 4500)
  const second = grant({ jti: 'second' })
  auth.resolve(second)
  await flushed()
  t.equal(memory.holders.has(second), false, 'the new grant is not watched')
  t.same(opened.transport.writes, [])
})

t.test('ends the connection when the new grant has already ended', async (t) => {
  const memory = new MemoryNode(t)
  const opened = await memory.connect()
  memory.introspecting = async () => grant({ jti: 'second' })
  memory.node.tokens.watch = (_grant, onEnd) => {
    onEnd('revoked')
    return () => undefined
  }
  send(opened.connection, { id: 2, refresh })
  await flushed()
  t.equal(opened.transport.ending, 4500)
  t.equal(memory.holders.get(opened.grant)?.size, 0, 'the old grant is released too')
})

t.test('an expired token makes the client reconnect with another one', async (t) => {
  const memory = new MemoryNode(t)
  memory.introspecting = async () => 'inactive'
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, refresh: { token: expiredToken } })
  await flushed()
  t.equal(transport.ending, 3005)
})

t.test('accepts only an active token of the same identity and subject', async (t) => {
  const memory = new MemoryNode(t)
  for (const answer of [
    'inactive' as const,
    grant({ subject: 'eve' }),
    grant({ identity: 'other' }),
  ]) {
    const { connection, transport } = await memory.connect()
    memory.introspecting = async () => answer
    send(connection, { id: 2, refresh })
    await flushed()
    t.equal(transport.ending, 3500)
  }
})

t.test(
  'replies with a temporary error when auth is not available, and keeps the token',
  async (t) => {
    const memory = new MemoryNode(t)
    memory.introspecting = async () => 'unavailable'
    const { connection, transport } = await memory.connect()
    send(connection, { id: 2, refresh })
    await flushed()
    t.match(transport.messages, [{ id: 2, error: { code: 100, temporary: true } }])
    t.equal(transport.ending, undefined)
  },
)

t.test('ends subscriptions that the new token does not permit, also those in flight', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } }, { id: 3, subscribe: { channel: 'b' } })
  await flushed()
  transport.writes.length = 0
  const redis = settled()
  memory.joining = () => redis.promise
  memory.introspecting = async () => grant({ scopes: ['subscribe:b'] })
  send(connection, { id: 4, subscribe: { channel: 'c' } }, { id: 5, refresh })
  await flushed()
  t.match(transport.messages, [
    { id: 5, refresh: {} },
    { push: { channel: 'a', unsubscribe: { code: 2000 } } },
  ])
  redis.resolve()
  await flushed()
  t.match(transport.messages[2], { id: 4, error: { code: 103 } })
  t.equal(memory.hub.counts.subscriptions, 1)
  t.same(
    [...connection.subscriptions.entries()].map(([channel]) => channel),
    ['b'],
  )
})

t.test('allows one refresh at a time', async (t) => {
  const memory = new MemoryNode(t)
  const auth = settled<'unavailable'>()
  memory.introspecting = () => auth.promise
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, refresh }, { id: 3, refresh })
  await flushed()
  t.match(transport.messages, [{ id: 3, error: { code: 111 } }])
})
