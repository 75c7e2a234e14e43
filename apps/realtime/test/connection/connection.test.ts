import { disconnectCodes, encodePublication, JsonText, protobufCodec } from '@portcullis/protocol'
import fc from 'fast-check'
import t from 'tap'
import { flushed, grant, MemoryNode, send, settled } from '../fixtures/memory-node.js'

t.test('replies to the commands of one frame in one frame', async (t) => {
  const { connection, transport } = new MemoryNode(t).open()
  send(connection, { id: 1, connect: {} }, { id: 2, rpc: {} }, { id: 3, history: { channel: 'a' } })
  await flushed()
  t.equal(transport.writes.length, 1, 'one write')
  t.equal(transport.writes[0]?.length, 1, 'one frame')
  t.match(transport.messages, [
    { id: 1, connect: { expires: true, pong: true, node: 'memory' } },
    { id: 2, error: { code: 108 } },
    { id: 3, error: { code: 103 } },
  ])
})

t.test('writes the output of one tick at once, in order', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } })
  await flushed()
  transport.writes.length = 0
  const publication = Buffer.from('{"data":1}')
  memory.hub.deliver('a', publication)
  send(connection, { id: 3, rpc: {} }, { id: 4, rpc: {} })
  memory.hub.deliver('a', publication)
  await flushed()
  t.equal(transport.writes.length, 1)
  t.match(transport.messages, [{ push: {} }, { id: 3 }, { id: 4 }, { push: {} }])
  t.equal(transport.writes[0]?.length, 3, 'the two replies share a frame')
})

t.test('accepts connect only first, and once', async (t) => {
  const memory = new MemoryNode(t)
  for (const first of [{}, { id: 1, subscribe: { channel: 'a' } }, { send: {} }]) {
    const { connection, transport } = memory.open()
    send(connection, first)
    t.equal(transport.ending, 3501, JSON.stringify(first))
  }
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, connect: {} })
  await flushed()
  t.equal(transport.ending, 3501, 'a second connect')
})

t.test('closes with a code for each violation of the protocol', async (t) => {
  const memory = new MemoryNode(t)
  for (const text of ['', 'x', '{"id":9,"fly":{}}', '[]', '{}']) {
    const { connection, transport } = await memory.connect()
    connection.receive(Buffer.from(text), false)
    t.equal(transport.ending, 3501, JSON.stringify(text))
  }
  const { connection, transport } = await memory.connect()
  connection.receive(Buffer.from('{}'), true)
  t.equal(transport.ending, 3506, 'binary')
  const other = memory.open(undefined, protobufCodec)
  other.connection.receive(Buffer.from('{}'), false)
  t.equal(other.transport.ending, 3506, 'text in the Protobuf form')
})

t.test('sends waiting replies before it closes', async (t) => {
  const { connection, transport } = await new MemoryNode(t).connect()
  send(connection, { id: 2, rpc: {} }, {})
  t.match(transport.messages, [{ id: 2, error: { code: 108 } }])
  t.equal(transport.ending, 3501)
})

t.test('replies to malformed and unsupported commands', async (t) => {
  const { connection, transport } = await new MemoryNode(t).connect()
  send(
    connection,
    { id: 2, subscribe: { channel: '' } },
    { id: 3, publish: { channel: 'a' } },
    { id: 4, subscribe: { channel: 'a', type: 1 } },
    { id: 5, presence: { channel: 'a' } },
    { send: { data: 1 } },
    { id: 6, rpc: { method: 'm' } },
  )
  await flushed()
  t.same(transport.messages.map(({ id, error }) => [id, (error as { code: number }).code]).sort(), [
    [2, 107],
    [3, 107],
    [4, 108],
    [5, 103],
    [6, 108],
  ])
})

t.test('drops all waiting input and output when the token is revoked', async (t) => {
  const memory = new MemoryNode(t)
  const opened = await memory.connect()
  send(opened.connection, { id: 2, subscribe: { channel: 'a' } })
  await flushed()
  opened.transport.writes.length = 0
  memory.hub.deliver('a', Buffer.from('{"data":1}'))
  memory.end(opened.grant, 'revoked')
  t.equal(opened.transport.ending, 4500)
  send(opened.connection, { id: 3, publish: { channel: 'a', data: 1 } })
  memory.hub.deliver('a', Buffer.from('{"data":2}'))
  await flushed()
  t.same(opened.transport.writes, [], 'nothing leaves')
  t.same(memory.published, [], 'no command is handled')
  t.equal(memory.hub.size, 0)
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('ignores the commands of a frame that follow a revocation', async (t) => {
  const memory = new MemoryNode(t)
  const opened = await memory.connect()
  memory.publishing = async () => memory.end(opened.grant, 'revoked')
  const publish = { channel: 'a', data: 1 }
  send(opened.connection, { id: 2, publish }, { id: 3, publish }, { id: 4, publish })
  await flushed()
  t.equal(memory.published.length, 1)
  t.same(opened.transport.writes, [], 'not even the reply leaves')
})

t.test(
  'cuts a revoked peer that does not read, since a close frame would let its backlog out',
  async (t) => {
    const memory = new MemoryNode(t)
    const opened = await memory.connect()
    opened.transport.bytesWaiting = 10
    memory.end(opened.grant, 'revoked')
    t.equal(opened.transport.ending, 'destroy')
  },
)

t.test('holds the grant of a closed connection until its last bytes have left', async (t) => {
  const memory = new MemoryNode(t)
  const slow = await memory.connect()
  slow.transport.bytesWaiting = 10
  slow.connection.end(disconnectCodes.shutdown)
  t.equal(slow.transport.ending, disconnectCodes.shutdown.code)
  memory.end(slow.grant, 'revoked')
  t.equal(slow.transport.ending, 'destroy')

  const gone = await memory.connect()
  gone.transport.bytesWaiting = 10
  gone.connection.end(disconnectCodes.shutdown)
  gone.connection.left()
  memory.end(gone.grant, 'revoked')
  t.equal(gone.transport.ending, disconnectCodes.shutdown.code, 'and is released then')
})

t.test('closes with 3005 when the grant expires', async (t) => {
  const memory = new MemoryNode(t)
  const opened = await memory.connect()
  memory.end(opened.grant, 'expired')
  t.equal(opened.transport.ending, 3005)
})

t.test('closes a connection whose grant ended before it was watched', async (t) => {
  const memory = new MemoryNode(t)
  memory.node.tokens.watch = (_grant, onEnd) => {
    onEnd('revoked')
    return () => undefined
  }
  const { connection, transport } = memory.open()
  t.equal(transport.ending, 4500)
  t.equal(connection.closed, true)
  t.equal(memory.hub.size, 0)
})

t.test('closes a slow reader', async (t) => {
  const memory = new MemoryNode(t, { sendBufferBytes: 70_000 })
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } })
  await flushed()
  const publication = encodePublication({ data: JsonText.of('x'.repeat(1000)) })
  for (let sent = 0; sent < 60; sent += 1) {
    memory.hub.deliver('a', publication)
  }
  t.equal(transport.ending, undefined, 'a burst alone does not count as slow')
  transport.bytesWaiting = 70_001
  for (let sent = 0; sent < 100; sent += 1) {
    memory.hub.deliver('a', publication)
  }
  t.equal(transport.ending, 3008)
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('limits the commands in flight', async (t) => {
  const memory = new MemoryNode(t, { commandsInFlight: 2 })
  const { connection, transport } = await memory.connect()
  const redis = settled()
  memory.publishing = () => redis.promise
  const publish = { channel: 'a', data: 1 }
  send(connection, { id: 2, publish }, { id: 3, publish }, { id: 4, publish })
  await flushed()
  t.match(transport.messages, [{ id: 4, error: { code: 111, temporary: true } }])
  redis.resolve()
  await flushed()
  send(connection, { id: 5, publish })
  await flushed()
  t.match(transport.messages.slice(1), [{ id: 2 }, { id: 3 }, { id: 5, publish: {} }])
})

t.test('accepts one pong for each ping', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  memory.pulse.ping()
  await flushed()
  t.same(transport.writes, [['{}']])
  send(connection, {})
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined)
  send(connection, {})
  t.equal(transport.ending, 3501, 'a pong without a ping')
})

t.test('closes when a pong is missing', async (t) => {
  const memory = new MemoryNode(t)
  const { transport } = await memory.connect()
  memory.pulse.checkPong()
  t.equal(transport.ending, undefined, 'no ping was sent')
  memory.pulse.ping()
  memory.pulse.checkPong()
  t.equal(transport.ending, 3012)
})

t.test('an unexpected error ends one connection, and is reported', async (t) => {
  const memory = new MemoryNode(t)
  const { connection, transport } = await memory.connect()
  memory.introspecting = async () => {
    throw new Error('bug')
  }
  send(connection, { id: 2, refresh: { token: 'x' } })
  await flushed()
  t.equal(transport.ending, 3004)
  t.equal(memory.faults.length, 1)
})

t.test(
  'answers arbitrary input with replies or a close code, without affecting others',
  async (t) => {
    const memory = new MemoryNode(t)
    const bystander = await memory.connect(grant({ subject: 'bob' }))
    const method = fc.constantFrom(
      ...[
        'connect',
        'subscribe',
        'unsubscribe',
        'publish',
        'refresh',
        'presence',
        'presence_stats',
      ],
      ...['history', 'rpc', 'send', 'sub_refresh', 'nothing'],
    )
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({ channel: fc.constantFrom('a', 'b', '', ' '), data: fc.jsonValue() }),
      fc.record({ token: fc.string() }),
    )
    const command = fc
      .tuple(fc.integer({ min: -1, max: 9 }), method, body)
      .map(([id, name, value]) => ({ id, [name]: value }))
    const codes = new Set([undefined, 3500, 3501, 3506])
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(command, { minLength: 1 })), async (frames) => {
        const { connection, transport } = await memory.connect()
        for (const frame of frames) {
          send(connection, ...frame)
        }
        await flushed()
        const known = codes.has(transport.ending as number | undefined)
        connection.left()
        return known && connection.commandsInFlight === 0
      }),
      { numRuns: 300 },
    )
    t.same(memory.faults, [])
    t.equal(bystander.transport.ending, undefined)
    t.equal(memory.hub.size, 1, 'nothing is left behind')
    t.same(memory.hub.counts.channels, 0)
  },
)
