import { encodePublication, JsonText } from '@portcullis/protocol'
import t from 'tap'
import { BrokerError } from '../../src/broker/errors.js'
import { testBroker } from '../fixtures/broker-behaviour.js'
import { oneServer, openBroker, subscribers, waitUntil } from '../fixtures/open-broker.js'
import { redisProxy } from '../fixtures/redis-proxy.js'

const on = await oneServer(t)
const news = encodePublication({ data: JsonText.of(1) })

t.test('connects nodes through one server', (t) => testBroker(t, on))

t.test('rejects a pending join at once when the connection is lost', async (t) => {
  const proxy = await redisProxy(t)
  const { broker, names } = await openBroker(t, on, { url: proxy.url })
  proxy.freeze()
  const joining = broker.channels.join('news')
  proxy.cut()
  await t.rejects(joining, { code: 'away' }, 'before Redis is back')
  proxy.restore()
  await waitUntil(() => broker.problem() === undefined)
  await broker.channels.join('news')
  t.equal(await subscribers(on, names.channel('news')), 1)
})

t.test('ends a subscription that is no longer wanted when a message arrives for it', async (t) => {
  const proxy = await redisProxy(t)
  const { broker, names } = await openBroker(t, on, { url: proxy.url })
  proxy.freeze()
  const joining = broker.channels.join('news')
  proxy.cut()
  await t.rejects(joining, { code: 'away' })
  proxy.restore()
  // ioredis repeats the pending command although the caller's promise was rejected.
  await waitUntil(() => broker.problem() === undefined)
  await (await on.serverOf('')).spublish(names.channel('news'), news)
  await broker.channels.join('fence')
  await broker.channels.join('another')
  t.equal(await subscribers(on, names.channel('news')), 0)
  t.equal(broker.malformedMessages, 0)
})

t.test('fails with one clear error when Redis is unreachable at start', async (t) => {
  const opened = openBroker(t, on, { url: 'redis://127.0.0.1:1' })
  const error = await opened.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(error instanceof BrokerError)
  t.match(error, { code: 'unreachable', message: /ECONNREFUSED.*check REDIS_URL/ })
})

t.test('refuses to start with another number of partitions', async (t) => {
  const { prefix } = await openBroker(t, on)
  await t.rejects(openBroker(t, on, { prefix, partitions: 8 }), {
    code: 'partitions_mismatch',
    message: /over 1 partitions, not 8; set PARTITIONS=1,/,
  })
})

t.test('detects that its user can read the registry', async (t) => {
  const { broker, prefix } = await openBroker(t, on)
  const redis = await on.serverOf('')
  const meta = `{${prefix}:0}:meta`
  const user = `node-${prefix}`
  t.teardown(async () => {
    await redis.del(meta)
    await redis.call('ACL', 'DELUSER', user)
  })
  const before = await broker.readsRegistry()
  t.equal(before, (await redis.exists('{portcullis:0}:meta')) === 1, 'under the default prefix')
  await redis.hset(meta, 'partitions', 1)
  t.equal(await broker.readsRegistry(), true)

  const rules = ['+@all', '&*', `~{${prefix}:0}:[^m]*`, `~${prefix}:realtime`]
  await redis.call('ACL', 'SETUSER', user, 'reset', 'on', '>secret', ...rules)
  const own = on.url.replace(/^unix:\/\//, 'unix://localhost').replace('://', `://${user}:secret@`)
  const { broker: apart } = await openBroker(t, on, { url: own, prefix })
  t.equal(await apart.readsRegistry(), false, 'its user cannot read it')
})
