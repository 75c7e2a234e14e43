import t from 'tap'
import { follow } from '../../src/feed/follow.js'
import { feedSource, type Listener } from '../../src/registry/index.js'
import { auth } from '../fixtures/auth.js'

/** A listener without a connection: it receives no message. */
const disconnected: Listener = {
  heard: Promise.resolve(),
  on: () => () => {},
  onGap: () => () => {},
  close: async () => {},
}

t.test('closing does not wait for the next event', async (t) => {
  const { app } = await auth(t, { LEASE_MS: '600000' })
  const following = await follow({
    source: feedSource(app.registry, disconnected),
    onError: () => {},
  })
  const began = performance.now()
  await following.close()
  t.ok(performance.now() - began < 500)
})

t.test('finds events without a message about them', async (t) => {
  const self = await auth(t)
  const following = await follow({
    source: feedSource(self.app.registry, disconnected),
    onError: () => {},
  })
  const moved = following.hub.movedFrom(following.hub.position)
  await self.api(await self.token(), 'POST', '/v1/revocations', { identity: 'x' })
  t.equal(await moved, true)
  await following.close()
})

t.test('is not ready while the tail is stuck', async (t) => {
  const self = await auth(t)
  const source = feedSource(self.app.registry, disconnected)
  const following = await follow({
    source: { ...source, news: () => new Promise(() => {}), close: () => {} },
    onError: () => {},
  })
  t.equal(await following.ready(), undefined)
  await self.api(await self.token(), 'POST', '/v1/revocations', { identity: 'x' })
  t.equal(await following.ready(), 'the feed is not being followed')
})
