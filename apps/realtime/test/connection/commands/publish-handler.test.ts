import { decodePublication, JsonText } from '@portcullis/protocol'
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

const publish = { id: 2, publish: { channel: 'chat:a', data: 'hi' } }
const published = (memory: MemoryNode) =>
  memory.published.map(({ bytes }) => decodePublication(bytes)?.data)

t.test('asks the handler of the channel before a publication is written', async (t) => {
  const memory = new MemoryNode(t)
  const answer = settled<HandlerOutcome>()
  const calls: HandlerCall[] = []
  memory.handlers.publish = (channel) =>
    channel.startsWith('chat:')
      ? (call) => {
          calls.push(call)
          return answer.promise
        }
      : undefined
  const { connection, transport } = await memory.connect()
  send(connection, publish, { id: 3, publish: { channel: 'news', data: 1 } })
  await flushed()
  t.same(transport.messages, [{ id: 3, publish: {} }], 'other channels do not wait')
  t.match(calls, [{ user: 'ada', channel: 'chat:a', data: JsonText.of('hi') }])
  answer.resolve({ result: {} })
  await flushed()
  t.same(transport.messages[1], { id: 2, publish: {} })
  t.same(published(memory), [JsonText.of(1), JsonText.of('hi')])
})

t.test(
  'publishes the data of the handler instead, and not into the history if so told',
  async (t) => {
    const memory = new MemoryNode(t)
    const options: unknown[] = []
    const { channels } = memory.node
    const { publish: write } = channels
    channels.publish = (channel, publication, permit, more) => {
      options.push(more)
      return write(channel, publication, permit, more)
    }
    memory.handlers.publish = () => async () => ({
      result: { data: JsonText.of('***'), skipHistory: true },
    })
    const { connection } = await memory.connect()
    send(connection, publish)
    await flushed()
    t.same(published(memory), [JsonText.of('***')])
    t.same(options, [{ skipHistory: true }])
  },
)

t.test('publishes with the tags, the key and the version of the handler', async (t) => {
  const memory = new MemoryNode(t)
  memory.namespaces.set('chat', channelOptions({ historySize: 10 }))
  const options: unknown[] = []
  const { channels } = memory.node
  const { publish: write } = channels
  channels.publish = (channel, publication, permit, more) => {
    options.push(more)
    return write(channel, publication, permit, more)
  }
  const version = { number: 3, epoch: 'e' }
  memory.handlers.publish = () => async () => ({
    result: { tags: { role: 'guest' }, idempotencyKey: 'k', version },
  })
  const { connection, transport } = await memory.connect()
  send(connection, publish)
  await flushed()
  t.same(options, [{ idempotencyKey: 'k', version }])
  t.same(
    memory.published.map(({ bytes }) => decodePublication(bytes)?.tags),
    [{ role: 'guest' }],
  )
  memory.namespaces.set('chat', channelOptions())
  send(connection, { ...publish, id: 3 })
  await flushed()
  t.match(transport.messages.at(-1), { id: 3, error: { code: 108 } }, 'versions need a history')
  t.equal(memory.published.length, 1)
})

t.test('cannot permit what the token does not', async (t) => {
  const memory = new MemoryNode(t)
  let asked = 0
  memory.handlers.publish = () => async () => {
    asked += 1
    return { result: {} }
  }
  const { connection, transport } = await memory.connect(grant({ scopes: ['publish:news'] }))
  send(connection, publish)
  await flushed()
  t.match(transport.messages, [{ id: 2, error: { code: 103 } }])
  t.equal(asked, 0, 'the handler is not asked')
})

t.test('replies with errors of the handler, and follows its disconnects', async (t) => {
  const memory = new MemoryNode(t)
  const answers: HandlerOutcome[] = [
    { error: { code: 1000, message: 'too rude' } },
    { disconnect: { code: 4501, reason: 'banned' } },
  ]
  memory.handlers.publish = () => async () => answers.shift() ?? { result: {} }
  const { connection, transport } = await memory.connect()
  send(connection, publish, { ...publish, id: 3 })
  await flushed()
  t.same(transport.messages, [{ id: 2, error: { code: 1000, message: 'too rude' } }])
  t.equal(transport.ending, 4501)
  t.same(memory.published, [])
})

t.test('keeps the order of publications whose handler answers in another order', async (t) => {
  const memory = new MemoryNode(t)
  const first = settled<HandlerOutcome>()
  let calls = 0
  memory.handlers.publish = () => () => {
    calls += 1
    return calls === 1 ? first.promise : Promise.resolve({ result: {} })
  }
  const { connection } = await memory.connect()
  send(connection, publish, { id: 3, publish: { channel: 'chat:a', data: 'there' } })
  await flushed()
  t.same(memory.published, [])
  first.resolve({ result: {} })
  await flushed()
  t.same(published(memory), [JsonText.of('hi'), JsonText.of('there')])
})

for (const reason of ['revoked', 'expired'] as const) {
  t.test(`an answer after the token is ${reason} publishes nothing`, async (t) => {
    const memory = new MemoryNode(t)
    const answer = settled<HandlerOutcome>()
    const calls: HandlerCall[] = []
    memory.handlers.publish = () => (call) => {
      calls.push(call)
      return answer.promise
    }
    const { connection, transport, grant: held } = await memory.connect()
    send(connection, publish)
    memory.end(held, reason)
    t.equal(calls[0]?.wanted(), false)
    answer.resolve({ result: {} })
    await flushed()
    t.same(memory.published, [])
    t.same(memory.permitted, [], 'nothing is sent to Redis')
    t.same(transport.writes, [])
  })
}

t.test('an answer is written with the grant that the connection has by then', async (t) => {
  const memory = new MemoryNode(t)
  const wide = grant()
  const tokens = new Map([
    ['wide', wide],
    ['narrow', grant({ scopes: ['publish:news'] })],
  ])
  memory.introspecting = async (token) => tokens.get(token) ?? 'inactive'
  const answers = [settled<HandlerOutcome>(), settled<HandlerOutcome>()]
  let calls = 0
  memory.handlers.publish = () => () => {
    calls += 1
    return answers[calls - 1]?.promise ?? Promise.resolve({ result: {} })
  }
  const { connection, transport } = await memory.connect()
  send(connection, publish, { id: 3, refresh: { token: 'wide' } })
  await flushed()
  answers[0]?.resolve({ result: {} })
  await flushed()
  t.same(memory.permitted, [wide])
  send(connection, { ...publish, id: 4 }, { id: 5, refresh: { token: 'narrow' } })
  await flushed()
  answers[1]?.resolve({ result: {} })
  await flushed()
  t.match(transport.messages.at(-1), { id: 4, error: { code: 103 } })
  t.equal(memory.published.length, 1)
})
