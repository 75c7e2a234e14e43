import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { followKeys, openKeySet } from '../../src/keys/index.js'
import { open } from '../registry/fixtures/open.js'

/** Longer than any test: what is seen here was told. */
const everyMs = 3_600_000

t.test('an instance hears of what another has changed', async (t) => {
  const { registry, redis, prefix, listener } = await open(t)
  const keys = await openKeySet({ redis, prefix })
  const other = await openKeySet({ redis: (await open(t)).redis, prefix })
  const looks = new EventEmitter()
  const { listener: heard, subscriber } = await listener()
  const following = followKeys(
    {
      async look() {
        await other.look()
        looks.emit('look')
      },
    },
    {
      listener: heard,
      channel: registry.keys.keyNews,
      everyMs,
      onError: (error) => t.fail(String(error)),
    },
  )
  t.teardown(() => following.close())
  await once(looks, 'look')

  const old = keys.current.kid
  const looked = once(looks, 'look')
  await keys.remove(old)
  await looked
  t.equal(other.find(old), undefined)
  t.equal(other.current.kid, keys.current.kid)

  // What is told while the line is down nobody hears; that it was down is enough.
  const gap = once(looks, 'look')
  subscriber.disconnect(true)
  await gap
  t.pass('it looks when it may have missed something')
})

t.test('one error is told when looking begins to fail', async (t) => {
  const { registry, listener } = await open(t)
  const { listener: heard } = await listener()
  const errors: unknown[] = []
  const calls = new EventEmitter()
  let works = false
  const following = followKeys(
    {
      async look() {
        setImmediate(() => calls.emit('call'))
        if (!works) {
          throw new Error('no')
        }
      },
    },
    {
      listener: heard,
      channel: registry.keys.keyNews,
      everyMs,
      onError: (error) => errors.push(error),
    },
  )
  t.teardown(() => following.close())
  const { redis } = registry
  const tell = async () => {
    const called = once(calls, 'call')
    await redis.publish(registry.keys.keyNews, '')
    await called
  }
  await once(calls, 'call')
  await tell()
  t.equal(errors.length, 1)
  works = true
  await tell()
  works = false
  await tell()
  t.equal(errors.length, 2)
})

t.test('without a word it looks from time to time', async (t) => {
  const { registry, listener } = await open(t)
  const { listener: heard } = await listener()
  const looks = new EventEmitter()
  const following = followKeys(
    {
      async look() {
        looks.emit('look')
      },
    },
    {
      listener: heard,
      channel: registry.keys.keyNews,
      everyMs: 1,
      onError: (error) => t.fail(String(error)),
    },
  )
  t.teardown(() => following.close())
  await once(looks, 'look')
  await once(looks, 'look')
  t.pass('again and again')
})
