import { once } from 'node:events'
import { encodePublication } from '@portcullis/protocol'
import type { Test } from 'tap'
import type { Order } from '../../src/hub/orders.js'
import {
  type Backend,
  channelOf,
  kill,
  openBroker,
  subscribers,
  waitUntil,
} from '../fixtures/open-broker.js'

const one = encodePublication({ data: 1 })

/** What brokers promise each other, on whatever is between them. */
export async function betweenNodes(t: Test, on: Backend): Promise<void> {
  await t.test('a publication reaches every node that joined, as the same bytes', async (t) => {
    const first = await openBroker(t, on)
    const second = await openBroker(t, on, { prefix: first.prefix })
    await Promise.all([first.broker.join('news'), second.broker.join('news')])
    const both = Promise.all([first.publication(), second.publication()])
    await first.broker.publish('news', one)
    t.same(await both, [
      ['news', one.toString()],
      ['news', one.toString()],
    ])
  })

  await t.test(
    'join resolves only when Redis has the subscription; leave gives it back',
    async (t) => {
      const { broker, names, publication } = await openBroker(t, on)
      const news = channelOf(names, 'news')
      const other = channelOf(names, 'other')
      await broker.join(news)
      t.equal(await subscribers(on, names.channel(news)), 1)
      broker.leave(news)
      await broker.join(other)
      t.equal(await subscribers(on, names.channel(news)), 0, 'commands go in order')
      const next = publication()
      await broker.publish(news, one)
      await broker.publish(other, encodePublication({ data: 2 }))
      t.equal((await next)[0], other)
    },
  )

  await t.test('leave and join in one breath end joined', async (t) => {
    const { broker, names } = await openBroker(t, on)
    const news = channelOf(names, 'news')
    const fence = channelOf(names, 'fence')
    await broker.join(news)
    for (let round = 0; round < 20; round += 1) {
      broker.leave(news)
      const joined = broker.join(news)
      if (round % 3 === 0) await joined
    }
    await broker.join(fence)
    t.equal(await subscribers(on, names.channel(news)), 1)
    t.equal(broker.channels, 2)
  })

  await t.test('garbage and forged messages are counted, and nothing else happens', async (t) => {
    const { broker, events, names, publication } = await openBroker(t, on)
    const news = channelOf(names, 'news')
    await broker.join(news)
    events.on('order', () => t.fail('a forged order was followed'))
    const [ofNews, control] = [names.channel(news), names.control]
    const forged = [
      [ofNews, 'garbage'],
      [ofNews, '{"nothing":1}'],
      [ofNews, '{"data":1,"x":1}'],
      [ofNews, Buffer.from([0xff, 0xfe, 0x00])],
      [control, ''],
      [control, '{"type":"disconnect","user":"ada","code":1,"reason":""}'],
      [control, '{"type":"disconnect","user":"ada","code":3500,"reason":"r","admin":true}'],
      [control, `{"type":"disconnect","user":"ada","code":3500,"reason":"${'r'.repeat(200)}"}`],
      [control, `{"type":"disconnect","user":"ada","code":3500,"reason":"${'ж'.repeat(62)}"}`],
      [control, '{"type":"subscribe","user":"ada","channel":"a b"}'],
      [control, '{"type":"subscribe","user":"ada","channel":"a","granted":false}'],
      [control, `{"type":"subscribe","user":"ada","channel":"a","data":"${'x'.repeat(70_000)}"}`],
      [control, '{"type":"unsubscribe","user":"","channel":"a"}'],
      [control, '{"type":"info","id":"1"}'],
      [control, `{"type":"info","id":"1","from":"${'x'.repeat(5000)}"}`],
    ] as const
    for (const [key, message] of forged) await (await on.serverOf(key)).spublish(key, message)
    const next = publication()
    await broker.publish(news, one)
    t.equal((await next)[1], one.toString(), 'the process lives')
    t.equal(broker.garbage, forged.length)
  })

  await t.test('an order reaches every node', async (t) => {
    const one = await openBroker(t, on)
    const two = await openBroker(t, on, { prefix: one.prefix })
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

  await t.test('info gathers every node, without waiting for its deadline', async (t) => {
    const one = await openBroker(t, on)
    const two = await openBroker(t, on, { prefix: one.prefix })
    const started = performance.now()
    const [first, second] = await Promise.all([one.broker.info(), two.broker.info()])
    t.equal(first.length, 2)
    t.same(first, second, 'in the same order, whoever is asked')
    t.ok(performance.now() - started < 900)
  })

  await t.test(
    'a lost connection is noticed, and everything wanted is subscribed again',
    async (t) => {
      const { broker, names, publication } = await openBroker(t, on)
      const news = channelOf(names, 'news')
      const left = channelOf(names, 'left')
      const more = channelOf(names, 'more')
      await broker.join(news)
      await broker.join(left)
      const lost = waitUntil(() => broker.ready() !== undefined)
      await kill(on, names.control)
      await lost
      broker.leave(left)
      await t.rejects(broker.join(more), { code: 'away' }, 'fails at once, does not wait')
      await waitUntil(() => broker.ready() === undefined)
      const next = publication()
      await broker.publish(news, one)
      t.equal((await next)[1], one.toString())
      await broker.join(more)
      t.equal(await subscribers(on, names.channel(more)), 1)
    },
  )
}
