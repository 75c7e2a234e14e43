import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { HandlerCall, HandlerOutcome } from '../../../src/connection/handlers.js'
import { flushed, MemoryNode, send, settled } from '../../fixtures/memory-node.js'

const start = 1_800_000_000_000
const expired = {
  push: { channel: 'a', unsubscribe: { code: 2501, reason: 'subscription expired' } },
}

/**
 * A subscription that its handler has limited to 100 s; the sub_refresh handler, if there are answers,
 * gives one after the other.
 */
async function limited(t: Test, ...answers: (HandlerOutcome | Promise<HandlerOutcome>)[]) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start })
  t.teardown(() => mock.timers.reset())
  const memory = new MemoryNode(t)
  const calls: HandlerCall[] = []
  memory.handlers.subscribe = () => async () => ({ result: { expiresAt: start + 100_000 } })
  if (answers.length > 0) {
    memory.handlers.subRefresh = () => async (call) => {
      calls.push(call)
      return answers[calls.length - 1] ?? { result: {} }
    }
  }
  const { connection, transport, grant } = await memory.connect()
  send(connection, { id: 2, subscribe: { channel: 'a' } })
  await flushed()
  t.same(transport.messages, [{ id: 2, subscribe: {} }], 'the client is not to refresh')
  transport.writes.length = 0
  const pass = async (ms: number) => {
    mock.timers.tick(ms)
    await flushed()
  }
  return { memory, connection, transport, grant, calls, pass }
}

t.test('ends a subscription when its handler said, without a sub_refresh handler', async (t) => {
  const { transport, memory, pass } = await limited(t)
  await pass(99_999)
  t.same(transport.messages, [])
  await pass(1)
  t.same(transport.messages, [expired])
  t.equal(memory.hub.counts.subscriptions, 0)
})

t.test('asks the sub_refresh handler before each end', async (t) => {
  const { connection, transport, calls, pass } = await limited(
    t,
    { result: { expiresAt: start + 150_000 } },
    { result: { expired: true } },
  )
  await pass(89_999)
  t.equal(calls.length, 0)
  await pass(1)
  t.match(calls, [{ user: 'ada', client: connection.id, channel: 'a' }])
  await pass(53_999)
  t.equal(calls.length, 1)
  t.same(transport.messages, [])
  await pass(1)
  t.equal(calls.length, 2)
  t.same(transport.messages, [expired])
})

t.test('ends the subscription, or the connection, as the sub_refresh handler says', async (t) => {
  t.test('at a time that has passed', async (t) => {
    const { transport, pass } = await limited(t, { result: { expiresAt: 1000 } })
    await pass(90_000)
    t.same(transport.messages, [expired])
  })
  t.test('with a disconnect', async (t) => {
    const { transport, pass } = await limited(t, { disconnect: { code: 4501, reason: 'bye' } })
    await pass(90_000)
    t.equal(transport.ending, 4501)
  })
})

t.test('a handler that fails, hangs or names no time cannot prolong a subscription', async (t) => {
  const answers: Record<string, HandlerOutcome | Promise<HandlerOutcome>> = {
    fails: { error: { code: 100, message: 'internal server error' } },
    hangs: new Promise(() => undefined),
    'names no time': { result: {} },
  }
  for (const [name, answer] of Object.entries(answers)) {
    t.test(name, async (t) => {
      const { transport, calls, pass } = await limited(t, answer)
      await pass(90_000)
      t.equal(calls.length, 1)
      await pass(9999)
      t.same(transport.messages, [])
      await pass(1)
      t.same(transport.messages, [expired])
    })
  }
})

t.test('an answer after a revocation has no effect', async (t) => {
  const answer = settled<HandlerOutcome>()
  const { memory, connection, transport, grant, calls, pass } = await limited(t, answer.promise)
  await pass(90_000)
  memory.end(grant, 'revoked')
  t.equal(calls[0]?.wanted(), false)
  answer.resolve({ result: { expiresAt: start + 3_600_000 } })
  await pass(3_600_000)
  t.same(transport.messages, [])
  t.equal(transport.ending, 4500)
  t.equal(connection.subscriptions.size, 0)
})

t.test('an answer after an unsubscribe has no effect on the next subscription', async (t) => {
  const answer = settled<HandlerOutcome>()
  const { memory, connection, transport, calls, pass } = await limited(t, answer.promise)
  await pass(90_000)
  memory.handlers.subscribe = () => undefined
  send(connection, { id: 3, unsubscribe: { channel: 'a' } })
  await flushed()
  t.equal(calls[0]?.wanted(), false)
  send(connection, { id: 4, subscribe: { channel: 'a' } })
  await flushed()
  answer.resolve({ result: { expired: true } })
  await pass(10_000)
  t.same(transport.messages, [
    { id: 3, unsubscribe: {} },
    { id: 4, subscribe: {} },
  ])
  t.equal(memory.hub.counts.subscriptions, 1)
})
