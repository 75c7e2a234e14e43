import { JsonText } from '@portcullis/protocol'
import t from 'tap'
import type { HandlerCall, HandlerOutcome } from '../../../src/connection/handlers.js'
import {
  channelOptions,
  flushed,
  grant,
  MemoryNode,
  send,
  settled,
} from '../../fixtures/memory-node.js'

const subscribe = { id: 2, subscribe: { channel: 'chat:a' } }

t.test('asks the handler of the channel before the subscription begins', async (t) => {
  const memory = new MemoryNode(t)
  const answer = settled<HandlerOutcome>()
  const calls: HandlerCall[] = []
  memory.handlers.subscribe = (channel) =>
    channel.startsWith('chat:')
      ? (call) => {
          calls.push(call)
          return answer.promise
        }
      : undefined
  const { connection, transport } = await memory.connect()
  const asked = { id: 2, subscribe: { channel: 'chat:a', data: { nick: 'ada' } } }
  send(connection, asked, { id: 3, subscribe: { channel: 'news' } })
  await flushed()
  t.same(transport.messages, [{ id: 3, subscribe: {} }], 'other channels do not wait')
  t.equal(memory.hub.counts.subscriptions, 1)
  t.match(calls, [{ user: 'ada', channel: 'chat:a', data: JsonText.of({ nick: 'ada' }) }])
  answer.resolve({ result: { data: JsonText.of({ title: 'Room' }) } })
  await flushed()
  t.same(transport.messages[1], { id: 2, subscribe: { data: { title: 'Room' } } })
  t.equal(memory.hub.counts.subscriptions, 2)
})

t.test('cannot permit what the token does not', async (t) => {
  const memory = new MemoryNode(t)
  let asked = 0
  memory.handlers.subscribe = () => async () => {
    asked += 1
    return { result: {} }
  }
  const { connection, transport } = await memory.connect(grant({ scopes: ['subscribe:news'] }))
  send(connection, subscribe)
  await flushed()
  t.match(transport.messages, [{ id: 2, error: { code: 103 } }])
  t.equal(asked, 0, 'the handler is not asked')
})

t.test('replies with errors of the handler, and follows its disconnects', async (t) => {
  const memory = new MemoryNode(t)
  const answers: HandlerOutcome[] = [
    { error: { code: 1000, message: 'the room is full' } },
    { result: { expiresAt: Date.now() - 1000 } },
    { disconnect: { code: 4501, reason: 'banned' } },
  ]
  memory.handlers.subscribe = () => async () => answers.shift() ?? { result: {} }
  const { connection, transport } = await memory.connect()
  for (const id of [2, 3, 4]) {
    send(connection, { ...subscribe, id })
    await flushed()
  }
  t.same(transport.messages, [
    { id: 2, error: { code: 1000, message: 'the room is full' } },
    { id: 3, error: { code: 110, message: 'expired' } },
  ])
  t.equal(transport.ending, 4501)
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('an answer after a revocation has no effect', async (t) => {
  const memory = new MemoryNode(t)
  memory.namespaces.set('chat', channelOptions({ presence: true, joinLeave: true }))
  const answer = settled<HandlerOutcome>()
  const calls: HandlerCall[] = []
  memory.handlers.subscribe = () => (call) => {
    calls.push(call)
    return answer.promise
  }
  const { connection, transport, grant: held } = await memory.connect()
  send(connection, subscribe)
  memory.end(held, 'revoked')
  t.equal(calls[0]?.wanted(), false)
  answer.resolve({ result: { data: JsonText.of('late') } })
  await flushed()
  t.same(transport.writes, [])
  t.equal(memory.hub.counts.subscriptions, 0)
  t.same(memory.present.get('chat:a') ?? [], [])
  t.same(memory.permitted, [])
})

t.test('an answer after the revocation of the token of the channel has no effect', async (t) => {
  const memory = new MemoryNode(t)
  const own = grant({ scopes: ['subscribe:chat:a'] })
  memory.introspecting = async () => own
  const answer = settled<HandlerOutcome>()
  const calls: HandlerCall[] = []
  memory.handlers.subscribe = () => (call) => {
    calls.push(call)
    return answer.promise
  }
  const { connection, transport } = await memory.connect(grant({ scopes: [] }))
  send(connection, { id: 2, subscribe: { channel: 'chat:a', token: 'x' } })
  await flushed()
  t.equal(calls[0]?.scope, 'subscribe:chat:a', 'the handler learns the scopes of that token')
  memory.end(own, 'revoked')
  t.equal(calls[0]?.wanted(), false)
  answer.resolve({ disconnect: { code: 4501, reason: 'late' } })
  await flushed()
  t.match(transport.messages, [{ id: 2, error: { code: 103 } }])
  t.equal(transport.ending, undefined)
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('an answer after an unsubscribe has no effect on the next subscription', async (t) => {
  const memory = new MemoryNode(t)
  const answers = [settled<HandlerOutcome>(), settled<HandlerOutcome>()]
  const calls: HandlerCall[] = []
  memory.handlers.subscribe = () => (call) => {
    calls.push(call)
    return answers[calls.length - 1]?.promise ?? Promise.resolve({ result: {} })
  }
  const { connection, transport } = await memory.connect()
  send(connection, subscribe, { id: 3, unsubscribe: { channel: 'chat:a' } })
  await flushed()
  t.equal(calls[0]?.wanted(), false)
  send(connection, { ...subscribe, id: 4 })
  answers[0]?.resolve({ disconnect: { code: 4501, reason: 'late' } })
  await flushed()
  t.equal(transport.ending, undefined)
  t.equal(memory.hub.counts.subscriptions, 0)
  answers[1]?.resolve({ result: {} })
  await flushed()
  t.same(transport.messages, [
    { id: 2, subscribe: {} },
    { id: 3, unsubscribe: {} },
    { id: 4, subscribe: {} },
  ])
  t.equal(memory.hub.counts.subscriptions, 1)
})

t.test('an answer after a refresh that took the scope away has no effect', async (t) => {
  const memory = new MemoryNode(t)
  memory.introspecting = async () => grant({ scopes: ['subscribe:news'] })
  const answer = settled<HandlerOutcome>()
  memory.handlers.subscribe = () => () => answer.promise
  const { connection, transport } = await memory.connect()
  send(connection, subscribe, { id: 3, refresh: { token: 'narrow' } })
  await flushed()
  answer.resolve({ result: {} })
  await flushed()
  t.match(transport.messages[1], { id: 2, error: { code: 103 } })
  t.equal(memory.hub.counts.subscriptions, 0)
})
