import { defined } from '@portcullis/contracts/defined'
import { encodePublication, JsonText, type StreamPosition } from '@portcullis/protocol'
import t from 'tap'
import {
  channelOptions,
  flushed,
  grant,
  MemoryNode,
  send,
  settled,
} from '../../fixtures/memory-node.js'

/** Returns a history of `count` publications, whose data are their offsets. */
const kept = (count: number) => async (_channel: string, since?: StreamPosition) => ({
  position: { offset: count, epoch: 'e' },
  publications:
    since === undefined
      ? []
      : Array.from({ length: count - since.offset }, (_, at) => stored(since.offset + 1 + at)),
})
const stored = (offset: number) => ({
  offset,
  encoded: encodePublication({ data: JsonText.of(offset) }),
})

const withStreams = (memory: MemoryNode) =>
  memory.namespaces.set('s', channelOptions({ historySize: 9, recovery: true }))

t.test('the reply to connect has the channels that the token permits', async (t) => {
  const memory = new MemoryNode(t)
  withStreams(memory)
  memory.reading = kept(4)
  memory.serverChannels = ['news', 'secret', 's:1']
  const { connection, transport } = memory.open(
    grant({ scopes: ['subscribe:news', 'subscribe:s:*'] }),
  )
  send(connection, { id: 1, connect: {} })
  await flushed()
  const [reply] = transport.messages
  t.match(reply, { id: 1, connect: { client: connection.id } })
  t.same(Object(reply)['connect'].subs, {
    news: {},
    's:1': { recoverable: true, positioned: true, offset: 4, epoch: 'e' },
  })
  memory.hub.deliver('news', encodePublication({ data: JsonText.of(1) }))
  memory.hub.deliver('s:1', encodePublication({ data: JsonText.of(5) }), { offset: 5, epoch: 'e' })
  await flushed()
  t.same(transport.messages.slice(1), [
    { push: { channel: 'news', pub: { data: 1 } } },
    { push: { channel: 's:1', pub: { data: 5, offset: 5 } } },
  ])
})

t.test('all channels of one reply share the limit of recovered bytes', async (t) => {
  const memory = new MemoryNode(t, { answerBytes: 1000 })
  withStreams(memory)
  const encoded = encodePublication({ data: JsonText.of('x'.repeat(600)) })
  memory.reading = async (_channel, since) => ({
    position: { offset: 1, epoch: 'e' },
    publications: since === undefined ? [] : [{ offset: 1, encoded }],
  })
  memory.serverChannels = ['s:1', 's:2', 's:3']
  const { connection, transport } = memory.open()
  const missed = { recover: true, offset: 0, epoch: 'e' }
  const names = memory.serverChannels.map((name) => [name, missed])
  // Reads run one after the other, as in a queue.
  let reading = Promise.resolve<unknown>(undefined)
  const { history } = memory.node.channels
  Object.assign(memory.node.channels, {
    history: (...args: Parameters<typeof history>) => {
      const read = reading.then(() => history(...args))
      reading = read
      return read
    },
  })
  send(connection, { id: 1, connect: { subs: Object.fromEntries(names) } })
  while (transport.messages.length === 0) {
    await flushed()
  }
  const { subs } = Object(transport.messages[0]).connect
  t.same(
    ['s:1', 's:2', 's:3'].map((name) => subs[name].recovered),
    [true, true, undefined],
  )
  t.match(subs['s:3'], { was_recovering: true, offset: 1 })
})

t.test('sends publications made during connect once, after the reply', async (t) => {
  const memory = new MemoryNode(t)
  withStreams(memory)
  memory.reading = kept(4)
  const slow = settled()
  memory.joining = async (channel) => (channel === 's:slow' ? slow.promise : undefined)
  memory.serverChannels = ['s:fast', 's:slow']
  const { connection, transport } = memory.open()
  const position = { recover: true, offset: 2, epoch: 'e' }
  send(connection, { id: 1, connect: { subs: { 's:fast': position, 's:other': position } } })
  send(connection, { id: 2, rpc: {} })
  await flushed()
  memory.hub.deliver('s:fast', encodePublication({ data: JsonText.of(5) }), {
    offset: 5,
    epoch: 'e',
  })
  await flushed()
  t.same(transport.writes, [], 'the other channel is not joined yet')
  slow.resolve()
  await flushed()
  const always = { recoverable: true, positioned: true, offset: 4, epoch: 'e' }
  t.match(transport.messages, [
    {
      id: 1,
      connect: {
        subs: {
          's:fast': {
            ...always,
            was_recovering: true,
            recovered: true,
            publications: [
              { data: 3, offset: 3 },
              { data: 4, offset: 4 },
            ],
          },
          's:slow': always,
        },
      },
    },
    { push: { channel: 's:fast', pub: { data: 5, offset: 5 } } },
    { id: 2, error: { code: 108 } },
  ])
})

t.test('does not recover a position that the history does not reach', async (t) => {
  const memory = new MemoryNode(t)
  withStreams(memory)
  memory.reading = kept(4)
  memory.serverChannels = ['s:1']
  const { connection, transport } = memory.open()
  const subs = { 's:1': { recover: true, offset: 2, epoch: 'older' } }
  send(connection, { id: 1, connect: { subs } })
  await flushed()
  t.same(Object(transport.messages[0])['connect'].subs['s:1'], {
    recoverable: true,
    positioned: true,
    offset: 4,
    epoch: 'e',
    was_recovering: true,
  })
})

t.test('enters no channel when Redis is not available', async (t) => {
  const memory = new MemoryNode(t)
  memory.namespaces.set('p', channelOptions({ presence: true }))
  const redis = settled()
  memory.joining = async (channel) => (channel === 'bad' ? redis.promise : undefined)
  memory.serverChannels = ['p:good', 'bad']
  const { connection, transport } = memory.open()
  send(connection, { id: 1, connect: {} })
  await flushed()
  memory.hub.deliver('p:good', encodePublication({ data: JsonText.of(1) }))
  redis.reject(new Error('away'))
  await flushed()
  t.same(transport.messages, [
    { id: 1, error: { code: 100, message: 'internal server error', temporary: true } },
  ])
  t.same(memory.present.get('p:good'), [])
  t.equal(memory.hub.counts.subscriptions, 0)
  memory.joining = async () => undefined
  send(connection, { id: 2, connect: {} })
  await flushed()
  t.match(transport.messages[1], { id: 2, connect: { subs: { 'p:good': {}, bad: {} } } })
})

t.test('limits the output that waits for the reply', async (t) => {
  const memory = new MemoryNode(t)
  memory.joining = async (channel) => (channel === 'b' ? settled().promise : undefined)
  memory.serverChannels = ['a', 'b']
  const { connection, transport } = memory.open()
  send(connection, { id: 1, connect: {} })
  await flushed()
  const large = encodePublication({ data: JsonText.of('x'.repeat(40_000)) })
  memory.hub.deliver('a', large)
  memory.hub.deliver('a', large)
  await flushed()
  t.equal(transport.ending, undefined)
  memory.hub.deliver('a', large)
  t.equal(transport.ending, 3008)
  t.same(transport.writes, [])
})

t.test('closes above the limit of channels, at connect and by an order', async (t) => {
  const memory = new MemoryNode(t)
  memory.serverChannels = ['a', 'b', 'c', 'd']
  const { connection, transport } = memory.open()
  send(connection, { id: 1, connect: {} })
  await flushed()
  t.equal(transport.ending, 3505)
  memory.serverChannels = ['a', 'b', 'c']
  const full = await memory.connect()
  send(full.connection, { id: 2, subscribe: { channel: 'd' } })
  await flushed()
  t.match(full.transport.messages, [{ id: 2, error: { code: 106 } }])
  await full.connection.subscribe({ ...order, channel: 'd' })
  t.equal(full.transport.ending, 3505)
})

const order = { type: 'subscribe', user: 'ada', channel: 's:1' } as const

t.test('an order sends a push, and then the missed publications once', async (t) => {
  const memory = new MemoryNode(t)
  withStreams(memory)
  memory.reading = kept(4)
  const { connection, transport } = await memory.connect(grant({ scopes: [] }))
  const since = { offset: 2, epoch: 'e' }
  const data = Buffer.from('{"why":"because"}').toString('base64')
  await connection.subscribe({ ...order, since, data })
  memory.hub.deliver('s:1', encodePublication({ data: JsonText.of(4) }), { offset: 4, epoch: 'e' })
  memory.hub.deliver('s:1', encodePublication({ data: JsonText.of(5) }), { offset: 5, epoch: 'e' })
  await flushed()
  const subscribe = { recoverable: true, positioned: true, ...since, data: { why: 'because' } }
  t.same(transport.messages, [
    { push: { channel: 's:1', subscribe } },
    ...[3, 4, 5].map((data) => ({ push: { channel: 's:1', pub: { data, offset: data } } })),
  ])
})

t.test('an order without a recoverable position begins at the end of the stream', async (t) => {
  const memory = new MemoryNode(t)
  withStreams(memory)
  memory.reading = kept(4)
  for (const since of [undefined, { offset: 2, epoch: 'older' }]) {
    const { connection, transport } = await memory.connect()
    await connection.subscribe({ ...order, ...defined({ since }) })
    await flushed()
    const subscribe = { recoverable: true, positioned: true, offset: 4, epoch: 'e' }
    t.same(transport.messages, [{ push: { channel: 's:1', subscribe } }])
  }
})

t.test('ignores an order for a subscribed or unconnected client', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } })
  await flushed()
  const opened = memory.open()
  await connection.subscribe({ ...order, channel: 'a' })
  await opened.connection.subscribe({ ...order, channel: 'a' })
  await connection.subscribe({ ...order, channel: 'late', expiresAt: 1 })
  connection.left()
  await connection.subscribe({ ...order, channel: 'b' })
  await flushed()
  t.same(transport.messages, [{ id: 2, subscribe: {} }])
  t.same(opened.transport.messages, [])
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('a client can unsubscribe from a server-side subscription', async (t) => {
  const memory = new MemoryNode(t)
  memory.serverChannels = ['a']
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } })
  send(connection, { id: 3, unsubscribe: { channel: 'a' } }, { id: 4, subscribe: { channel: 'a' } })
  await flushed()
  t.match(transport.messages, [
    { id: 2, error: { code: 105 } },
    { id: 3, unsubscribe: {} },
    { id: 4, subscribe: {} },
  ])
})

t.test('an order to unsubscribe ends any subscription', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = async (channel) => (channel === 'slow' ? redis.promise : undefined)
  const { connection, transport } = await memory.connect()
  const ended = { code: 2000, reason: 'server unsubscribe' }
  send(
    connection,
    { id: 2, subscribe: { channel: 'own' } },
    { id: 3, subscribe: { channel: 'slow' } },
  )
  await connection.subscribe({ ...order, channel: 'given' })
  await flushed()
  transport.writes.length = 0
  for (const channel of ['own', 'slow', 'given', 'none']) {
    connection.unsubscribe(channel, ended)
  }
  const joining = connection.subscribe({ ...order, channel: 'slow' })
  connection.unsubscribe('slow', ended)
  redis.resolve()
  await joining
  await flushed()
  t.same(transport.messages, [
    { push: { channel: 'own', unsubscribe: ended } },
    { id: 3, subscribe: {} },
    { push: { channel: 'slow', unsubscribe: ended } },
    { push: { channel: 'given', unsubscribe: ended } },
  ])
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('orders for a connecting client wait for the decision', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = async (channel) => (channel === 'slow' ? redis.promise : undefined)
  memory.serverChannels = ['slow', 'fast']
  const { connection, transport } = memory.open()
  send(connection, { id: 1, connect: {} })
  await flushed()
  const ended = { code: 2000, reason: 'server unsubscribe' }
  const orders = [
    connection.subscribe({ ...order, channel: 'slow' }),
    connection.subscribe({ ...order, channel: 'given' }),
  ]
  connection.unsubscribe('fast', ended)
  redis.resolve()
  await Promise.all(orders)
  await flushed()
  t.match(transport.messages, [
    { id: 1, connect: { subs: { slow: {}, fast: {} } } },
    { push: { channel: 'fast', unsubscribe: ended } },
    { push: { channel: 'given', subscribe: {} } },
  ])
  t.equal(transport.messages.length, 3)
  t.equal(memory.hub.counts.subscriptions, 2)
  memory.joining = () => settled().promise
  const gone = memory.open().connection
  send(gone, { id: 1, connect: {} })
  const late = gone.subscribe(order)
  gone.left()
  await t.resolves(late, 'an order for a closed connection resolves')
})

t.test(
  'a refresh ends configured subscriptions that the new token does not permit, but not granted ones',
  async (t) => {
    const memory = new MemoryNode(t)
    memory.serverChannels = ['a', 'b']
    const { connection, transport } = await memory.connect()
    await connection.subscribe({ ...order, channel: 'granted' })
    await flushed()
    transport.writes.length = 0
    const second = grant({ scopes: ['subscribe:b'] })
    memory.introspecting = async () => second
    send(connection, { id: 2, refresh: { token: 'second' } })
    await flushed()
    t.match(transport.messages, [
      { id: 2, refresh: {} },
      { push: { channel: 'a', unsubscribe: { code: 2000 } } },
    ])
    t.equal(memory.hub.counts.subscriptions, 2)
    memory.end(second, 'revoked')
    t.equal(transport.ending, 4500, 'a revocation ends all of it')
    t.equal(memory.hub.counts.subscriptions, 0)
  },
)

t.test('sends nothing of the channels when the token is revoked during connect', async (t) => {
  const memory = new MemoryNode(t)
  const redis = settled()
  memory.joining = async (channel) => (channel === 'slow' ? redis.promise : undefined)
  memory.serverChannels = ['fast', 'slow']
  const { connection, transport, grant: held } = memory.open()
  send(connection, { id: 1, connect: {} })
  await flushed()
  memory.hub.deliver('fast', encodePublication({ data: JsonText.of(1) }))
  memory.end(held, 'revoked')
  redis.resolve()
  await flushed()
  t.equal(transport.ending, 4500)
  t.same(transport.writes, [])
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('closes with 3010 when publications are lost', async (t) => {
  const memory = new MemoryNode(t)
  memory.serverChannels = ['a']
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'own' } })
  await flushed()
  connection.lost('own')
  await flushed()
  t.match(transport.messages.at(-1), { push: { channel: 'own', unsubscribe: { code: 2500 } } })
  t.equal(transport.ending, undefined)
  connection.lost('a')
  t.equal(transport.ending, 3010)
})

t.test('ends a subscription at its expiry', async (t) => {
  const memory = new MemoryNode(t)
  const warned: Error[] = []
  const warn = (warning: Error) => warned.push(warning)
  process.on('warning', warn)
  t.teardown(() => process.removeListener('warning', warn))
  const { connection, transport } = await memory.connect()
  const expiresAt = Date.now() + 30
  await connection.subscribe({ ...order, channel: 'left', expiresAt })
  connection.unsubscribe('left', { code: 2000, reason: '' })
  await connection.subscribe({ ...order, channel: 'left' })
  await connection.subscribe({ ...order, channel: 'a', expiresAt })
  await connection.subscribe({ ...order, channel: 'b', expiresAt: Date.now() + 10_000_000_000 })
  while (connection.subscriptions.has('a')) {
    await flushed()
  }
  await flushed()
  t.ok(Date.now() >= expiresAt)
  t.same(transport.messages.at(-1), {
    push: { channel: 'a', unsubscribe: { code: 2501, reason: 'subscription expired' } },
  })
  t.ok(connection.subscriptions.has('b'))
  t.ok(connection.subscriptions.has('left'), 'the expiry of a left subscription is cleared')
  t.same(warned, [], 'no timer exceeds 32 bits')
  connection.left()
})

t.test('sends joins and leaves to clients with the presence scope', async (t) => {
  const memory = new MemoryNode(t)
  memory.namespaces.set('p', channelOptions({ presence: true, joinLeave: true }))
  memory.serverChannels = ['p:1']
  const told = await memory.connect(grant({ scopes: ['subscribe:*', 'presence:*'] }))
  const deaf = await memory.connect()
  t.equal(memory.present.get('p:1')?.length, 2)
  t.same(memory.announced, ['p:1 join ada', 'p:1 join ada'])
  memory.hub.announce('p:1', 'join', { user: 'bob', client: '9' })
  await flushed()
  const info = { user: 'bob', client: '9' }
  t.same(told.transport.messages, [{ push: { channel: 'p:1', join: { info } } }])
  t.same(deaf.transport.messages, [])
  deaf.connection.left()
  t.equal(memory.present.get('p:1')?.length, 1)
  t.equal(memory.announced.at(-1), 'p:1 leave ada')
})
