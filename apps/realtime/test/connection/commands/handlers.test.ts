import { JsonText, protobufCodec } from '@portcullis/protocol'
import t from 'tap'
import type { HandlerCall, HandlerOutcome } from '../../../src/connection/handlers.js'
import { flushed, grant, MemoryNode, send, settled } from '../../fixtures/memory-node.js'

t.test('passes the client and its scopes to a handler', async (t) => {
  const memory = new MemoryNode(t)
  const calls: HandlerCall[] = []
  memory.handlers.rpc = () => async (call) => {
    calls.push(call)
    return { result: { data: JsonText.of('pong') } }
  }
  const { connection, transport } = await memory.connect()
  send(connection, { id: 2, rpc: { method: 'a:b', data: 'ping', b64: 'x', content: 'y' } })
  await flushed()
  t.same(transport.messages, [{ id: 2, rpc: { data: 'pong' } }])
  const [{ wanted: _wanted, ...call } = {}] = calls
  t.same(call, {
    client: connection.id,
    transport: 'websocket',
    user: 'ada',
    identity: 'shop',
    scope: 'subscribe:* publish:*',
    protocol: 'json',
    method: 'a:b',
    data: JsonText.of('ping'),
  })
  t.equal(connection.handlerCalls, 0)
  t.equal(connection.commandsInFlight, 0)
})

t.test('replies with errors of a handler, and follows its disconnects', async (t) => {
  const memory = new MemoryNode(t)
  const answers: HandlerOutcome[] = [
    { error: { code: 1000, message: 'no money', temporary: true } },
    { result: {} },
    { disconnect: { code: 4501, reason: 'bye' } },
  ]
  memory.handlers.rpc = () => async () => answers.shift() ?? { result: {} }
  const { connection, transport } = await memory.connect()
  for (const id of [2, 3, 4]) {
    send(connection, { id, rpc: {} })
    await flushed()
  }
  t.same(transport.messages, [
    { id: 2, error: { code: 1000, message: 'no money', temporary: true } },
    { id: 3, rpc: {} },
  ])
  t.equal(transport.ending, 4501)
  t.match(memory.closed, [{ code: 4501, reason: 'bye' }])
})

t.test('drops answers and sends no call after a revocation', async (t) => {
  const memory = new MemoryNode(t)
  const answer = settled<HandlerOutcome>()
  const calls: HandlerCall[] = []
  memory.handlers.rpc = () => (call) => {
    calls.push(call)
    return answer.promise
  }
  memory.handlers.send = memory.handlers.rpc('')
  const { connection, transport, grant: held } = await memory.connect()
  send(connection, { id: 2, rpc: {} })
  t.equal(calls[0]?.wanted(), true)
  memory.end(held, 'revoked')
  t.equal(calls[0]?.wanted(), false)
  send(connection, { id: 3, rpc: {} }, { send: { data: 1 } })
  answer.resolve({ result: { data: JsonText.of('late') } })
  await flushed()
  t.equal(calls.length, 1)
  t.same(transport.writes, [])
  t.equal(transport.ending, 4500)
})

t.test('sends no call without a lease', async (t) => {
  const memory = new MemoryNode(t)
  const calls: HandlerCall[] = []
  memory.handlers.send = async (call) => {
    calls.push(call)
    return { result: {} }
  }
  const { connection } = await memory.connect()
  send(connection, { send: { data: 1 } })
  memory.lease.lose()
  t.equal(calls[0]?.wanted(), false)
  send(connection, { send: { data: 2 } })
  t.equal(calls.length, 1)
  memory.lease.regain()
  t.same(
    calls.map(({ data }) => data),
    [JsonText.of(1), JsonText.of(2)],
  )
})

t.test('limits the calls of one client', async (t) => {
  const memory = new MemoryNode(t, { handlerCalls: 2 })
  const answer = settled<HandlerOutcome>()
  let asked = 0
  memory.handlers.rpc = () => () => {
    asked += 1
    return answer.promise
  }
  memory.handlers.send = memory.handlers.rpc('')
  const { connection, transport } = await memory.connect()
  const other = await memory.connect(grant({ subject: 'bob' }))
  send(connection, { send: {} }, { id: 2, rpc: {} }, { id: 3, rpc: {} }, { send: {} })
  send(other.connection, { id: 2, rpc: {} })
  await flushed()
  t.equal(asked, 3)
  t.match(transport.messages, [{ id: 3, error: { code: 111, temporary: true } }])
  answer.resolve({ result: {} })
  await flushed()
  t.match(transport.messages.slice(1), [{ id: 2, rpc: {} }])
})

t.test('send has no reply, but its handler may disconnect', async (t) => {
  const memory = new MemoryNode(t)
  let answer: HandlerOutcome = { error: { code: 1000, message: 'no' } }
  memory.handlers.send = async () => answer
  const { connection, transport } = await memory.connect()
  send(connection, { send: { data: 1 } })
  await flushed()
  t.same(transport.writes, [])
  answer = { disconnect: { code: 4501, reason: 'bye' } }
  send(connection, { send: { data: 1 } })
  await flushed()
  t.equal(transport.ending, 4501)
})

t.test('the reply to connect waits for its handler, and has its data', async (t) => {
  const memory = new MemoryNode(t)
  const answer = settled<HandlerOutcome>()
  const calls: HandlerCall[] = []
  memory.handlers.connect = (call) => {
    calls.push(call)
    return answer.promise
  }
  const { connection, transport } = memory.open()
  const connect = { data: { room: 1 }, name: 'js', version: '5' }
  send(connection, { id: 1, connect }, { id: 2, rpc: {} })
  await flushed()
  t.same(transport.writes, [])
  t.match(calls, [{ user: 'ada', ...connect, data: JsonText.of({ room: 1 }) }])
  answer.resolve({ result: { data: JsonText.of('welcome') } })
  await flushed()
  t.match(transport.messages, [
    { id: 1, connect: { client: connection.id, data: 'welcome' } },
    { id: 2, error: { code: 108 } },
  ])
})

t.test('connect subscribes to the channels of its handler that the token permits', async (t) => {
  const memory = new MemoryNode(t)
  memory.handlers.connect = async () => ({ result: { channels: ['news', 'secret', 'news'] } })
  const { connection, transport } = memory.open(grant({ scopes: ['subscribe:news'] }))
  send(connection, { id: 1, connect: {} })
  await flushed()
  const [reply] = transport.messages
  t.same(Object(reply).connect.subs, { news: {} })
})

t.test('the handler of connect can refuse it', async (t) => {
  const memory = new MemoryNode(t)
  const answers: HandlerOutcome[] = [
    { error: { code: 1000, message: 'not today' } },
    { disconnect: { code: 4501, reason: 'never' } },
  ]
  memory.handlers.connect = async () => answers.shift() ?? { result: {} }
  const refused = memory.open()
  send(refused.connection, { id: 1, connect: {} })
  await flushed()
  t.same(refused.transport.messages, [{ id: 1, error: { code: 1000, message: 'not today' } }])
  t.equal(refused.connection.state, 'opened')
  const ended = memory.open()
  send(ended.connection, { id: 1, connect: {} })
  await flushed()
  t.same(ended.transport.messages, [])
  t.equal(ended.transport.ending, 4501)
  send(refused.connection, { id: 2, connect: {} })
  await flushed()
  t.match(refused.transport.messages[1], { id: 2, connect: {} }, 'the client may try again')
})

t.test('does not connect a client revoked while its handler was called', async (t) => {
  const memory = new MemoryNode(t)
  const answer = settled<HandlerOutcome>()
  memory.handlers.connect = () => answer.promise
  const { connection, transport, grant: held } = memory.open()
  send(connection, { id: 1, connect: {} })
  memory.end(held, 'revoked')
  answer.resolve({ result: {} })
  await flushed()
  t.same(transport.writes, [])
  t.equal(connection.state, 'closed')
})

t.test('passes bytes unchanged', async (t) => {
  const memory = new MemoryNode(t)
  memory.handlers.rpc = () => async () => ({ result: { data: Buffer.of(0xff) } })
  const json = await memory.connect()
  send(json.connection, { id: 2, rpc: {} })
  await flushed()
  t.same(json.transport.messages, [{ id: 2, rpc: { data: '/w==' } }])
  t.same(protobufCodec.dataValue(Buffer.of(0xff)), Buffer.of(0xff))
})
