import t from 'tap'
import { flushed, grant, MemoryNode, send } from '../fixtures/memory-node.js'

/** The events without the client's id. */
const eventsOf = (memory: MemoryNode) => memory.events.map(({ client: _client, ...event }) => event)

t.test('reports the life of a client in order', async (t) => {
  const memory = new MemoryNode(t)
  const { connection } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } }, { id: 3, subscribe: { channel: 'b' } })
  await flushed()
  send(connection, { id: 4, unsubscribe: { channel: 'a' } })
  connection.unsubscribe('b', { code: 2000, reason: 'server unsubscribe' })
  await flushed()
  connection.end({ code: 3001, reason: 'shutdown' })
  t.same(eventsOf(memory), [
    { type: 'connected' },
    { type: 'subscribed', channel: 'a' },
    { type: 'subscribed', channel: 'b' },
    { type: 'unsubscribed', channel: 'a', code: 0, reason: 'client unsubscribe' },
    { type: 'unsubscribed', channel: 'b', code: 2000, reason: 'server unsubscribe' },
    { type: 'disconnected', code: 3001, reason: 'shutdown' },
  ])
  t.ok(memory.events.every(({ client }) => client === connection.id))
})

t.test('reports the subscriptions of the server after the connection', async (t) => {
  const memory = new MemoryNode(t)
  memory.serverChannels = ['news']
  const { connection } = await memory.connect()
  await connection.subscribe({ type: 'subscribe', user: 'ada', channel: 'offers' })
  t.same(eventsOf(memory), [
    { type: 'connected' },
    { type: 'subscribed', channel: 'news' },
    { type: 'subscribed', channel: 'offers' },
  ])
})

t.test('reports nothing of a client that was not connected', async (t) => {
  const memory = new MemoryNode(t)
  memory.serverChannels = ['news']
  memory.handlers.connect = async () => ({ error: { code: 1000, message: 'no' } })
  const refused = memory.open()
  send(refused.connection, { id: 1, connect: {} })
  await flushed()
  memory.end(refused.grant, 'revoked')
  memory.open().connection.left()
  t.same(memory.events, [])
})

t.test('reports nothing of a subscription that was refused', async (t) => {
  const memory = new MemoryNode(t)
  memory.handlers.subscribe = () => async () => ({ error: { code: 1000, message: 'no' } })
  const { connection } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } })
  await flushed()
  memory.handlers.subscribe = () => () => new Promise(() => undefined)
  send(connection, { id: 3, subscribe: { channel: 'a' } }, { id: 4, unsubscribe: { channel: 'a' } })
  await flushed()
  t.same(eventsOf(memory), [{ type: 'connected' }])
})

t.test('reports a revocation, after the close', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport, grant: held } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } })
  await flushed()
  memory.events.length = 0
  const record = memory.events.push.bind(memory.events)
  let closedFirst = true
  memory.events.push = (event) => {
    closedFirst &&= transport.ending === 4500
    return record(event)
  }
  memory.end(held, 'revoked')
  t.same(eventsOf(memory), [
    { type: 'revoked' },
    { type: 'disconnected', code: 4500, reason: 'token revoked' },
  ])
  t.ok(closedFirst)
})

t.test('reports an expiry as a disconnect', async (t) => {
  const memory = new MemoryNode(t)
  const { grant: held } = await memory.connect()
  memory.end(held, 'expired')
  t.match(eventsOf(memory), [{ type: 'connected' }, { type: 'disconnected', code: 3005 }])
})

t.test("reports the revocation of a channel's own token", async (t) => {
  for (const waits of [false, true]) {
    const memory = new MemoryNode(t)
    const own = grant({ scopes: ['subscribe:a'] })
    memory.introspecting = async () => own
    const { connection } = await memory.connect()
    send(connection, { id: 2, subscribe: { channel: 'a', token: 'x' } })
    await flushed()
    memory.events.length = 0
    if (waits) {
      send(connection, { id: 3, presence: { channel: 'b' } })
    }
    memory.end(own, 'revoked')
    await flushed()
    t.match(
      eventsOf(memory),
      waits
        ? [{ type: 'revoked', channel: 'a' }, { type: 'disconnected' }]
        : [
            { type: 'revoked', channel: 'a' },
            { type: 'unsubscribed', channel: 'a', code: 2001 },
          ],
    )
  }
})
