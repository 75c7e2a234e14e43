import { disconnectCodes } from '@portcullis/protocol'
import t, { type Test } from 'tap'
import { flushed, grant, MemoryNode, send, settled } from '../../fixtures/memory-node.js'
import { expiredToken } from '../../fixtures/unsigned-token.js'

const secret = { channel: 'secret' }
const withToken = { ...secret, token: 'for-secret' }

/** Returns a connection whose token permits no channel, and a token for one channel. */
async function scene(t: Test) {
  const memory = new MemoryNode(t)
  const own = grant({ scopes: ['publish:*'] })
  const forSecret = grant({ jti: 'sub', scopes: ['subscribe:secret'] })
  memory.introspecting = async (token) => (token === 'for-secret' ? forSecret : 'inactive')
  const { connection, transport } = await memory.connect(own)
  const subscribed = async () => {
    send(connection, { id: 2, subscribe: withToken })
    await flushed()
    transport.writes.length = 0
  }
  return { memory, connection, transport, own, forSecret, subscribed }
}

t.test(
  'subscribes with a channel token where the token of the connection does not permit it',
  async (t) => {
    const { memory, connection, transport } = await scene(t)
    send(connection, { id: 2, subscribe: secret })
    await flushed()
    t.match(transport.messages, [{ id: 2, error: { code: 103 } }])
    send(connection, { id: 3, subscribe: withToken })
    await flushed()
    t.match(transport.messages[1], { id: 3, subscribe: { expires: true, ttl: Number } })
    t.equal(memory.hub.counts.subscriptions, 1)
  },
)

t.test('rejects other tokens for a channel', async (t) => {
  const { memory, connection, transport } = await scene(t)
  const others = {
    'of another identity': grant({ identity: 'other', scopes: ['subscribe:*'] }),
    'of another subject': grant({ subject: 'bob', scopes: ['subscribe:*'] }),
    'for another channel': grant({ scopes: ['subscribe:secrets', 'publish:secret'] }),
    inactive: 'inactive',
    [expiredToken]: 'inactive',
    unavailable: 'unavailable',
  } as const
  const codes: unknown[] = []
  for (const [what, answer] of Object.entries(others)) {
    memory.introspecting = async () => answer
    transport.writes.length = 0
    send(connection, { id: 2, subscribe: { ...secret, token: what } })
    await flushed()
    codes.push(transport.messages.map(({ error }) => Object(error).code))
  }
  t.same(codes, [[103], [103], [103], [103], [109], [100]])
  t.equal(memory.hub.counts.subscriptions, 0)
  t.equal(connection.subscriptions.size, 0)
})

t.test('a revoked channel token ends the subscription with 2001, and nothing else', async (t) => {
  const { memory, connection, transport, forSecret, subscribed } = await scene(t)
  await subscribed()
  memory.end(forSecret, 'revoked')
  memory.hub.deliver('secret', Buffer.from('{"data":1}'))
  await flushed()
  t.same(transport.messages, [
    { push: { channel: 'secret', unsubscribe: { code: 2001, reason: 'token revoked' } } },
  ])
  t.equal(transport.ending, undefined)
  t.equal(connection.subscriptions.size, 0)
})

t.test('an expired channel token ends the subscription with 2501', async (t) => {
  const { memory, transport, forSecret, subscribed } = await scene(t)
  await subscribed()
  memory.end(forSecret, 'expired')
  await flushed()
  t.match(transport.messages, [{ push: { unsubscribe: { code: 2501 } } }])
})

t.test('cuts the connection when a channel token is revoked while output waits', async (t) => {
  const waiting = await scene(t)
  await waiting.subscribed()
  waiting.memory.hub.deliver('secret', Buffer.from('{"data":1}'))
  waiting.memory.end(waiting.forSecret, 'revoked')
  await flushed()
  t.equal(waiting.transport.ending, 'destroy')
  t.same(waiting.transport.writes, [])
  t.match(waiting.memory.closed, [disconnectCodes.forceReconnect])

  const slow = await scene(t)
  await slow.subscribed()
  slow.transport.bytesWaiting = 1
  slow.memory.end(slow.forSecret, 'revoked')
  t.equal(slow.transport.ending, 'destroy')
})

t.test('a channel token that ends before Redis confirms opens no subscription', async (t) => {
  const before = await scene(t)
  before.memory.node.tokens.watch = (_grant, onEnd) => {
    onEnd('revoked')
    return () => undefined
  }
  send(before.connection, { id: 2, subscribe: withToken })
  await flushed()
  t.match(before.transport.messages, [{ id: 2, error: { code: 103 } }])

  const meanwhile = await scene(t)
  const redis = settled()
  meanwhile.memory.joining = () => redis.promise
  send(meanwhile.connection, { id: 2, subscribe: withToken })
  await flushed()
  meanwhile.memory.end(meanwhile.forSecret, 'expired')
  redis.resolve()
  await flushed()
  t.match(meanwhile.transport.messages, [{ id: 2, error: { code: 109 } }])
  t.equal(meanwhile.transport.messages.length, 1)
  t.equal(meanwhile.memory.hub.counts.subscriptions, 0)
})

t.test('releases the channel token when the subscription ends', async (t) => {
  const { memory, connection, forSecret, subscribed } = await scene(t)
  await subscribed()
  t.equal(memory.holders.get(forSecret)?.size, 1)
  send(connection, { id: 3, unsubscribe: secret })
  await flushed()
  t.equal(memory.holders.get(forSecret)?.size, 0)
  await subscribed()
  connection.left()
  t.equal(memory.holders.get(forSecret)?.size, 0)
})

t.test('watches the token of a left channel until its last byte has left', async (t) => {
  const leftWithBytes = async () => {
    const each = await scene(t)
    await each.subscribed()
    each.memory.hub.deliver('secret', Buffer.from('{"data":1}'))
    await flushed()
    // The peer reads slowly.
    each.transport.bytesWaiting = 100
    send(each.connection, { id: 3, unsubscribe: secret })
    await flushed()
    t.equal(each.connection.subscriptions.size, 0)
    t.equal(each.memory.holders.get(each.forSecret)?.size, 1)
    return each
  }
  const revoked = await leftWithBytes()
  revoked.memory.end(revoked.forSecret, 'revoked')
  t.equal(revoked.transport.ending, 'destroy', 'output of the channel waits')

  const { memory, connection, transport, forSecret } = await leftWithBytes()
  transport.bytesWaiting = 0
  send(connection, { id: 4, unsubscribe: secret })
  await flushed()
  t.equal(memory.holders.get(forSecret)?.size, 0, 'released once the output has left')
  memory.end(forSecret, 'revoked')
  t.equal(transport.ending, undefined)
})

t.test('sub_refresh replaces the channel token', async (t) => {
  const { memory, connection, transport, forSecret, subscribed } = await scene(t)
  await subscribed()
  const next = grant({ jti: 'next', scopes: ['subscribe:secret'] })
  memory.introspecting = async (token) => (token === 'next' ? next : 'inactive')
  send(
    connection,
    { id: 3, sub_refresh: { ...secret, token: 'next' } },
    { id: 4, sub_refresh: { ...secret, token: 'bad' } },
    { id: 5, sub_refresh: { channel: 'other', token: 'next' } },
  )
  await flushed()
  const byId = new Map(transport.messages.map(({ id, ...reply }) => [id, reply]))
  t.match(byId.get(3), { sub_refresh: { expires: true, ttl: Number } })
  t.match(byId.get(4), { error: { code: 103 } })
  t.match(byId.get(5), { error: { code: 107 } })
  memory.end(forSecret, 'revoked')
  await flushed()
  t.equal(memory.hub.counts.subscriptions, 1)
  memory.end(next, 'revoked')
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test("a refresh of the connection's token does not affect a channel token", async (t) => {
  const { memory, connection, subscribed } = await scene(t)
  await subscribed()
  memory.introspecting = async () => grant({ scopes: [] })
  send(connection, { id: 3, refresh: { token: 'narrower' } })
  await flushed()
  t.equal(memory.hub.counts.subscriptions, 1)
})
