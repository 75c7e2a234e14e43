import t from 'tap'
import {
  type FeedRead,
  type FeedTail,
  feedEnd,
  feedSource,
  type Registry,
  RegistryError,
  revoke,
  tailFeed,
} from '../../../src/registry/index.js'
import { type Opened, open } from '../fixtures/open.js'

const shop = { identity: 'shop' }

/** Returns a tail whose events can be awaited one by one. */
async function tail(opened: Opened, registry: Registry, from: string) {
  const heard: string[] = []
  const lost: string[] = []
  const errors: unknown[] = []
  let wake = () => {}
  const { listener, subscriber } = await opened.listener()
  const tailing: FeedTail = tailFeed(feedSource(registry, listener), from, {
    onEvents({ revocations }: FeedRead) {
      heard.push(...revocations.map(({ id }) => id))
      wake()
    },
    onLost(cursor) {
      lost.push(cursor)
      wake()
    },
    onError(error) {
      errors.push(error)
      wake()
    },
  })
  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { tailing, subscriber, heard, lost, errors, until }
}

for (const partitions of [1, 16]) {
  t.test(`passes on earlier and new events; P=${partitions}`, async (t) => {
    const opened = await open(t, { partitions })
    const { registry } = opened
    const ids = [(await revoke(registry, { selector: shop })).id]
    const { tailing, heard, until } = await tail(
      opened,
      await opened.another(),
      Array(partitions).fill('0-0').join(','),
    )
    await until(() => heard.length === 1)
    for (let i = 0; i < 10; i += 1) {
      ids.push((await revoke(registry, { selector: { identity: `svc${i}` } })).id)
    }
    await until(() => heard.length === ids.length)
    t.same(heard, ids)
    t.equal(tailing.cursor, await feedEnd(registry))
    await tailing.close()
    await tailing.close()
  })
}

t.test('wakes with an event, without polling', async (t) => {
  // With this lease each wait for news lasts a second, longer than the test.
  const opened = await open(t)
  const { registry } = opened
  const { tailing, heard, until } = await tail(opened, registry, '0-0')
  const began = performance.now()
  for (let count = 1; count <= 20; count += 1) {
    await revoke(registry, { selector: shop })
    await until(() => heard.length === count)
  }
  t.ok(performance.now() - began < 5000, 'twenty waits would take twenty seconds')
  await tailing.close()
})

t.test('continues after its connection was killed, and misses nothing', async (t) => {
  const opened = await open(t)
  const { registry } = opened
  const { tailing, subscriber, heard, until } = await tail(opened, registry, '0-0')
  const first = await revoke(registry, { selector: shop })
  await until(() => heard.length === 1)
  const closed = new Promise((resolve) => subscriber.once('close', resolve))
  subscriber.stream.destroy()
  await closed
  const second = await revoke(registry, { selector: shop })
  await until(() => heard.length === 2)
  t.same(heard, [first.id, second.id])
  await tailing.close()
})

t.test('reports a feed that went backwards without a new event, and continues', async (t) => {
  const opened = await open(t)
  const { registry, redis } = opened
  const key = registry.keys.feed(0)
  await revoke(registry, { selector: shop })
  const backup = await redis.dumpBuffer(key)
  await revoke(registry, { selector: shop })
  const { tailing, heard, lost, until } = await tail(opened, registry, await feedEnd(registry))
  await redis.restore(key, 0, backup ?? '', 'REPLACE')
  await until(() => lost.length === 1)
  t.same(lost, [await feedEnd(registry)], 'the tail continues at the end of the feed')
  const { id } = await revoke(registry, { selector: shop })
  await until(() => heard.length === 1)
  t.same(heard, [id])
  t.equal(lost.length, 1)
  await tailing.close()
})

t.test('reports an error of Redis, and can be closed during it', async (t) => {
  const opened = await open(t)
  const registry = await opened.another()
  registry.redis.disconnect()
  const { tailing, errors, until } = await tail(opened, registry, '0-0')
  await until(() => errors.length === 2)
  const [error] = errors
  t.ok(error instanceof RegistryError && error.code === 'registry_unavailable')
  await tailing.close()
})
