import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { encodePublication } from '@portcullis/protocol'
import { connect } from '@portcullis/redis'
import t, { type Test } from 'tap'
import { Broker, type BrokerOptions } from '../../src/broker/broker.js'
import { BrokerError } from '../../src/broker/errors.js'
import type { Order } from '../../src/hub/orders.js'
import { randomPrefix, redisUrl } from '../fixtures/realtime-node.js'
import { redisProxy } from '../fixtures/redis-proxy.js'

const admin = connect({ url: redisUrl, onError: () => undefined })
await admin.connect()
t.teardown(() => admin.disconnect())

/** A broker that tells what comes in as events. */
async function open(t: Test, more: Partial<BrokerOptions> = {}) {
  const events = new EventEmitter()
  const uid = randomUUID()
  const prefix = more.prefix ?? randomPrefix()
  const broker = await Broker.open({
    url: redisUrl,
    prefix,
    uid,
    probeMs: 2000,
    presenceTtlMs: 60_000,
    onPublication: (channel, bytes, position) =>
      events.emit('publication', channel, bytes.toString(), position),
    onPresence: (channel, kind, info) => events.emit('presence', channel, kind, info),
    onRestored: () => events.emit('restored'),
    onOrder: (order) => events.emit('order', order),
    describe: () => ({
      uid,
      name: `node-${uid}`,
      version: '0',
      num_clients: 1,
      num_users: 1,
      num_subs: 1,
      num_channels: 1,
      uptime: 1,
    }),
    onError: () => undefined,
    ...more,
  })
  t.teardown(() => broker.close())
  const publication = async (): Promise<[string, string]> => {
    const [channel, text] = await once(events, 'publication')
    return [channel, text]
  }
  return { broker, events, prefix, publication }
}

/** The Redis clients that are subscribed to a key. */
async function subscribers(key: string): Promise<number> {
  const [, count] = (await admin.pubsub('NUMSUB', key)) as [string, number]
  return count
}

/** Cuts the connection that is subscribed to the broker's own channel. */
async function kill(prefix: string): Promise<void> {
  const list = String(await admin.client('LIST', 'TYPE', 'PUBSUB'))
  const before = await subscribers(`${prefix}:control`)
  for (const line of list.split('\n')) {
    const id = /id=(\d+) .*name=realtime-sub /.exec(line)?.[1]
    if (id === undefined) continue
    await admin.client('KILL', 'ID', id)
    if ((await subscribers(`${prefix}:control`)) < before) return
  }
  throw new Error('no connection of this prefix')
}

const news = encodePublication({ data: 1 })

t.test('a publication reaches every node that joined, as the same bytes', async (t) => {
  const one = await open(t)
  const two = await open(t, { prefix: one.prefix })
  await Promise.all([one.broker.join('news'), two.broker.join('news')])
  const both = Promise.all([one.publication(), two.publication()])
  await one.broker.publish('news', news)
  t.same(await both, [
    ['news', news.toString()],
    ['news', news.toString()],
  ])
})

t.test('join resolves only when Redis has the subscription; leave gives it back', async (t) => {
  const { broker, prefix, publication } = await open(t)
  await broker.join('news')
  t.equal(await subscribers(`${prefix}:channel:news`), 1)
  broker.leave('news')
  await broker.join('other')
  t.equal(await subscribers(`${prefix}:channel:news`), 0, 'commands go in order')
  const next = publication()
  await broker.publish('news', news)
  await broker.publish('other', encodePublication({ data: 2 }))
  t.equal((await next)[0], 'other')
})

t.test('leave and join in one breath end joined', async (t) => {
  const { broker, prefix } = await open(t)
  await broker.join('news')
  for (let round = 0; round < 20; round += 1) {
    broker.leave('news')
    const joined = broker.join('news')
    if (round % 3 === 0) await joined
  }
  await broker.join('fence')
  t.equal(await subscribers(`${prefix}:channel:news`), 1)
  t.equal(broker.channels, 2)
})

t.test('garbage and forged messages are counted, and nothing else happens', async (t) => {
  const { broker, events, prefix, publication } = await open(t)
  await broker.join('news')
  events.on('disconnect', () => t.fail('a forged order was followed'))
  const forged = [
    ['channel:news', 'garbage'],
    ['channel:news', '{"nothing":1}'],
    ['channel:news', '{"data":1,"x":1}'],
    ['channel:news', Buffer.from([0xff, 0xfe, 0x00])],
    ['control', ''],
    ['control', '{"type":"disconnect","user":"ada","code":1,"reason":""}'],
    ['control', '{"type":"disconnect","user":"ada","code":3500,"reason":"r","admin":true}'],
    ['control', `{"type":"disconnect","user":"ada","code":3500,"reason":"${'r'.repeat(200)}"}`],
    ['control', `{"type":"disconnect","user":"ada","code":3500,"reason":"${'ж'.repeat(62)}"}`],
    ['control', '{"type":"subscribe","user":"ada","channel":"a b"}'],
    ['control', '{"type":"subscribe","user":"ada","channel":"a","granted":false}'],
    ['control', `{"type":"subscribe","user":"ada","channel":"a","data":"${'x'.repeat(70_000)}"}`],
    ['control', '{"type":"unsubscribe","user":"","channel":"a"}'],
    ['control', '{"type":"info","id":"1"}'],
    ['control', `{"type":"info","id":"1","from":"${'x'.repeat(5000)}"}`],
  ] as const
  for (const [key, message] of forged) await admin.publish(`${prefix}:${key}`, message)
  const next = publication()
  await broker.publish('news', news)
  t.equal((await next)[1], news.toString(), 'the process lives')
  t.equal(broker.garbage, forged.length)
})

t.test('an order reaches every node', async (t) => {
  const one = await open(t)
  const two = await open(t, { prefix: one.prefix })
  const target = { user: 'ada', client: '1', session: '1', identity: 'shop' }
  const orders: Order[] = [
    { type: 'disconnect', user: 'ada', code: 3503, reason: 'force disconnect' },
    { type: 'disconnect', ...target, code: 3005, reason: '', whitelist: Array(512).fill('2') },
    { type: 'subscribe', user: 'ada', channel: 'news' },
    {
      type: 'subscribe',
      ...target,
      channel: 'news',
      since: { offset: 0, epoch: '' },
      data: { b64: 'x'.repeat(32_768) },
      expiresAt: 1,
    },
    { type: 'unsubscribe', ...target, channel: 'news' },
  ]
  for (const order of orders) {
    const both = Promise.all([once(one.events, 'order'), once(two.events, 'order')])
    await one.broker.order(order)
    for (const [got] of await both) t.same(got, order)
  }
})

t.test('info gathers every node, without waiting for its deadline', async (t) => {
  const one = await open(t)
  const two = await open(t, { prefix: one.prefix })
  const started = performance.now()
  const [first, second] = await Promise.all([one.broker.info(), two.broker.info()])
  t.equal(first.length, 2)
  t.same(first, second, 'in the same order, whoever is asked')
  t.ok(performance.now() - started < 900)
})

t.test('a lost connection is noticed, and everything wanted is subscribed again', async (t) => {
  const { broker, prefix, publication } = await open(t)
  await broker.join('news')
  await broker.join('left')
  const lost = waitUntil(() => broker.ready() !== undefined)
  await kill(prefix)
  await lost
  broker.leave('left')
  await t.rejects(broker.join('more'), { code: 'away' }, 'fails at once, does not wait')
  await waitUntil(() => broker.ready() === undefined)
  const next = publication()
  await broker.publish('news', news)
  t.equal((await next)[1], news.toString())
  await broker.join('more')
  t.equal(await subscribers(`${prefix}:channel:more`), 1)
})

t.test('who waits for a confirmation when the connection goes is told at once', async (t) => {
  const proxy = await redisProxy(t)
  const { broker, prefix } = await open(t, { url: proxy.url })
  proxy.freeze()
  const joining = broker.join('news')
  proxy.cut()
  await t.rejects(joining, { code: 'away' }, 'before Redis is back')
  proxy.restore()
  await waitUntil(() => broker.ready() === undefined)
  await broker.join('news')
  t.equal(await subscribers(`${prefix}:channel:news`), 1)
})

t.test('a subscription that nobody wants any more is given back when it is heard of', async (t) => {
  const proxy = await redisProxy(t)
  const { broker, prefix } = await open(t, { url: proxy.url })
  proxy.freeze()
  const joining = broker.join('news')
  proxy.cut()
  await t.rejects(joining, { code: 'away' })
  proxy.restore()
  // ioredis sends what was under way once more, though the caller was told no.
  await waitUntil(() => broker.ready() === undefined)
  await admin.publish(`${prefix}:channel:news`, news)
  await broker.join('fence')
  await broker.join('another')
  t.equal(await subscribers(`${prefix}:channel:news`), 0)
  t.equal(broker.garbage, 0)
})

t.test('a Redis that is not there at start is one clear error', async (t) => {
  const opened = open(t, { url: 'redis://127.0.0.1:1' })
  const error = await opened.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(error instanceof BrokerError)
  t.match(error, { code: 'unreachable', message: /ECONNREFUSED.*check REDIS_URL/ })
})

/** Looks once a turn of the event loop. */
async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}
