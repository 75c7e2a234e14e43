import { connect } from '@portcullis/redis'
import t from 'tap'
import { follow } from '../../src/feed/follow.js'
import { feedSource } from '../../src/registry/index.js'
import { auth } from '../fixtures/auth.js'

t.test('closing does not wait for a connection that is away', async (t) => {
  // While it is away its commands wait in a queue, which closing it does not empty.
  const { app } = await auth(t)
  const blocking = connect({ url: 'redis://127.0.0.1:1', role: 'blocking', onError: () => {} })
  const away = new Promise((resolve) => blocking.once('reconnecting', resolve))
  const following = await follow({ source: feedSource(app.registry, blocking), onError: () => {} })
  await away
  await following.close()
  t.equal(blocking.status === 'ready', false)
})

t.test('a feed that nobody follows is not ready', async (t) => {
  const self = await auth(t)
  const blocking = connect({ url: 'redis://127.0.0.1:1', role: 'blocking', onError: () => {} })
  t.teardown(async () => blocking.disconnect())
  const following = await follow({
    source: feedSource(self.app.registry, blocking),
    onError: () => {},
  })
  t.equal(await following.ready(), undefined)
  await self.api(await self.token(), 'POST', '/v1/revocations', { identity: 'x' })
  t.equal(await following.ready(), 'the feed is not being followed')
  await following.close()
})
