import t from 'tap'
import { partitionOf } from '../src/registry/index.js'
import { auth } from './fixtures/auth.js'

t.test('is not ready after Redis has lost the registry, or the administrator', async (t) => {
  const { app } = await auth(t)
  const { redis, keys, partitions } = app.registry
  const administrator = keys.identity(partitionOf('admin', partitions), 'admin')
  for (const [key, lost] of [
    [keys.meta, 'the registry'],
    [administrator, 'the administrator'],
  ] as const) {
    t.equal((await app.inject('/ready')).statusCode, 200)
    const kept = await redis.dumpBuffer(key)
    await redis.del(key)
    const answer = await app.inject('/ready')
    t.equal(answer.statusCode, 503, `without ${lost}`)
    t.match(answer.json(), { reasons: { redis: `Redis has lost ${lost}` } })
    await redis.restore(key, 0, kept ?? '')
  }
  t.equal((await app.inject('/ready')).statusCode, 200)
})
