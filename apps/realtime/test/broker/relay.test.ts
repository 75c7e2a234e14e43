import { randomUUID } from 'node:crypto'
import t from 'tap'
import { oneServer, openBroker } from '../fixtures/open-broker.js'
import { redisProxy } from '../fixtures/redis-proxy.js'

const on = await oneServer(t)
const commands = { session: 'session', data: Buffer.from([0, 255, 10]), isBinary: true }

t.test('passes commands on to the node that has the session', async (t) => {
  const { broker, prefix } = await openBroker(t, on)
  const other = await openBroker(t, on, {
    prefix,
    onCommands: (got) => {
      t.same(got, commands)
      return true
    },
  })
  t.equal(await broker.relay.send(other.uid, commands), true)
})

t.test('tells that a node has no such session, or that there is no such node', async (t) => {
  const { broker, prefix } = await openBroker(t, on)
  const other = await openBroker(t, on, { prefix, onCommands: () => false })
  t.equal(await broker.relay.send(other.uid, commands), false)
  t.equal(await broker.relay.send(randomUUID(), commands), false)
})

t.test('rejects when Redis is lost, and drops malformed messages', async (t) => {
  const proxy = await redisProxy(t)
  const { broker, names, uid } = await openBroker(t, on, { url: proxy.url })
  const server = await on.serverOf('')
  for (const message of [
    '',
    '{',
    '{"type":"commands"}',
    '{"type":"taken","id":1,"isTaken":true}',
  ]) {
    await server.spublish(names.relay(uid), message)
  }
  // Arrives after the malformed ones.
  t.type(await broker.relay.send(uid, commands), 'boolean')
  t.equal(broker.malformedMessages, 4)
  proxy.freeze()
  const sending = broker.relay.send(uid, commands)
  proxy.cut()
  await t.rejects(sending, { code: 'away' })
})
