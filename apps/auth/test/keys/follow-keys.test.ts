import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { followKeys, openKeySet } from '../../src/keys/index.js'
import { open } from '../registry/fixtures/open.js'

/** Longer than any test, so that only announcements cause a read. */
const everyMs = 3_600_000

t.test('an instance reads the keys when another has changed them', async (t) => {
  const { registry, redis, prefix, listener } = await open(t)
  const keys = await openKeySet({ redis, prefix })
  const other = await openKeySet({ redis: (await open(t)).redis, prefix })
  const reads = new EventEmitter()
  const { listener: keyListener, subscriber } = await listener()
  const following = followKeys(
    {
      async refresh() {
        await other.refresh()
        reads.emit('read')
      },
    },
    {
      listener: keyListener,
      channel: registry.keys.keyNews,
      everyMs,
      onError: (error) => t.fail(String(error)),
    },
  )
  t.teardown(() => following.close())
  await once(reads, 'read')

  const old = keys.current.kid
  const readAgain = once(reads, 'read')
  await keys.remove(old)
  await readAgain
  t.equal(other.find(old), undefined)
  t.equal(other.current.kid, keys.current.kid)

  // Announcements during the disconnection are lost; the reconnection alone causes a read.
  const gap = once(reads, 'read')
  subscriber.disconnect(true)
  await gap
  t.pass('reads after announcements may have been missed')
})

t.test('reports one error when reading begins to fail', async (t) => {
  const { registry, listener } = await open(t)
  const { listener: keyListener } = await listener()
  const errors: unknown[] = []
  const calls = new EventEmitter()
  let works = false
  const following = followKeys(
    {
      async refresh() {
        setImmediate(() => calls.emit('call'))
        if (!works) {
          throw new Error('no')
        }
      },
    },
    {
      listener: keyListener,
      channel: registry.keys.keyNews,
      everyMs,
      onError: (error) => errors.push(error),
    },
  )
  t.teardown(() => following.close())
  const { redis } = registry
  const announce = async () => {
    const called = once(calls, 'call')
    await redis.publish(registry.keys.keyNews, '')
    await called
  }
  await once(calls, 'call')
  await announce()
  t.equal(errors.length, 1)
  works = true
  await announce()
  works = false
  await announce()
  t.equal(errors.length, 2)
})

t.test('reads regularly without announcements', async (t) => {
  const { registry, listener } = await open(t)
  const { listener: keyListener } = await listener()
  const reads = new EventEmitter()
  const following = followKeys(
    {
      async refresh() {
        reads.emit('read')
      },
    },
    {
      listener: keyListener,
      channel: registry.keys.keyNews,
      everyMs: 1,
      onError: (error) => t.fail(String(error)),
    },
  )
  t.teardown(() => following.close())
  await once(reads, 'read')
  await once(reads, 'read')
  t.pass('reads twice')
})
