import { encodePublication } from '@portcullis/protocol'
import t from 'tap'
import { BrokerError } from '../../src/broker/errors.js'
import { betweenNodes } from '../fixtures/between-nodes.js'
import { oneServer, openBroker, subscribers, waitUntil } from '../fixtures/open-broker.js'
import { redisProxy } from '../fixtures/redis-proxy.js'

const on = await oneServer(t)
const news = encodePublication({ data: 1 })

t.test('between nodes, through one server', (t) => betweenNodes(t, on))

t.test('who waits for a confirmation when the connection goes is told at once', async (t) => {
  const proxy = await redisProxy(t)
  const { broker, names } = await openBroker(t, on, { url: proxy.url })
  proxy.freeze()
  const joining = broker.join('news')
  proxy.cut()
  await t.rejects(joining, { code: 'away' }, 'before Redis is back')
  proxy.restore()
  await waitUntil(() => broker.ready() === undefined)
  await broker.join('news')
  t.equal(await subscribers(on, names.channel('news')), 1)
})

t.test('a subscription that nobody wants any more is given back when it is heard of', async (t) => {
  const proxy = await redisProxy(t)
  const { broker, names } = await openBroker(t, on, { url: proxy.url })
  proxy.freeze()
  const joining = broker.join('news')
  proxy.cut()
  await t.rejects(joining, { code: 'away' })
  proxy.restore()
  // ioredis sends what was under way once more, though the caller was told no.
  await waitUntil(() => broker.ready() === undefined)
  await (await on.serverOf('')).spublish(names.channel('news'), news)
  await broker.join('fence')
  await broker.join('another')
  t.equal(await subscribers(on, names.channel('news')), 0)
  t.equal(broker.garbage, 0)
})

t.test('a Redis that is not there at start is one clear error', async (t) => {
  const opened = openBroker(t, on, { url: 'redis://127.0.0.1:1' })
  const error = await opened.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(error instanceof BrokerError)
  t.match(error, { code: 'unreachable', message: /ECONNREFUSED.*check REDIS_URL/ })
})

t.test('nodes that spread channels differently do not start', async (t) => {
  const { prefix } = await openBroker(t, on)
  await t.rejects(openBroker(t, on, { prefix, partitions: 8 }), {
    code: 'partitions_mismatch',
    message: /over 1 partitions, not 8; set PARTITIONS=1,/,
  })
})
