import t from 'tap'
import { follow } from '../../src/feed/follow.js'
import { feedSource, type Listener } from '../../src/registry/index.js'
import { auth } from '../fixtures/auth.js'

/** As of a connection that is away: it hears nothing. */
const deaf: Listener = {
  heard: Promise.resolve(),
  on: () => () => {},
  onGap: () => () => {},
  close: async () => {},
}

t.test('closing does not wait for news', async (t) => {
  const { app } = await auth(t, { LEASE_MS: '600000' })
  const following = await follow({ source: feedSource(app.registry, deaf), onError: () => {} })
  const began = performance.now()
  await following.close()
  t.ok(performance.now() - began < 500)
})

t.test('what no message tells of is found all the same', async (t) => {
  const self = await auth(t)
  const following = await follow({ source: feedSource(self.app.registry, deaf), onError: () => {} })
  const moved = following.hub.movedFrom(following.hub.position)
  await self.api(await self.token(), 'POST', '/v1/revocations', { identity: 'x' })
  t.equal(await moved, true)
  await following.close()
})

t.test('a feed that nobody follows is not ready', async (t) => {
  const self = await auth(t)
  const source = feedSource(self.app.registry, deaf)
  const following = await follow({
    source: { ...source, news: () => new Promise(() => {}), close: () => {} },
    onError: () => {},
  })
  t.equal(await following.ready(), undefined)
  await self.api(await self.token(), 'POST', '/v1/revocations', { identity: 'x' })
  t.equal(await following.ready(), 'the feed is not being followed')
})
