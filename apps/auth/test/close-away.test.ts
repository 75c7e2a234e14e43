import t from 'tap'
import { auth } from './fixtures/auth.js'
import { redisProxy } from './fixtures/redis-proxy.js'

t.test('closing does not wait for a Redis that is away', async (t) => {
  const proxy = await redisProxy(t)
  const self = await auth(t, { REDIS_URL: proxy.url })
  const { redis } = self.app.registry
  const away = new Promise((resolve) => redis.once('reconnecting', resolve))
  proxy.cut()
  await away
  await self.app.close()
  t.pass('closed')
})
