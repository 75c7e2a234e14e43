import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { close, connect, RedisUrlError } from '../src/index.js'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

t.test('a URL that is none is refused without showing its password', async (t) => {
  for (const bad of ['', 'localhost:6379', 'http://localhost', 'redis://h:1/x', 'nonsense']) {
    t.throws(
      () => connect({ url: bad, onError: () => undefined }),
      { code: 'REDIS_URL_INVALID' },
      bad,
    )
  }
  t.match(new RedisUrlError('redis:/user:hunter2@host').message, /redis:\/\/host:port/)
  t.notMatch(new RedisUrlError('foo://user:hunter2@host').message, /hunter2/)
})

t.test('a connection answers, and closes twice without complaint', async (t) => {
  const redis = connect({ url, name: 'portcullis-test', onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.equal(await redis.ping(), 'PONG')
  t.equal(await redis.client('GETNAME'), 'portcullis-test')
  await close(redis)
  await close(redis)
  t.equal(redis.status, 'end')
})

t.test('a command fails at once while Redis is away', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  server.close()
  await once(server, 'close')
  const errors: Error[] = []
  const redis = connect({
    url: `redis://127.0.0.1:${port}`,
    onError: (error) => errors.push(error),
  })
  await t.rejects(redis.connect())
  await t.rejects(redis.ping(), 'a command is not kept for later')
  t.ok(errors.length > 0, 'the caller hears of it')
  await close(redis)
})

t.test(
  'a command under way fails with its connection, though the next one is there at once',
  async (t) => {
    const open = async () => {
      const redis = connect({ url, onError: () => undefined })
      t.teardown(() => close(redis))
      await redis.connect()
      return redis
    }
    const [redis, other] = [await open(), await open()]
    const id = await redis.client('ID')
    const waiting = redis.blpop('portcullis-test-nothing-comes-here', 30)
    // Watched from here on: the connection may be gone before its end is confirmed.
    const failed = t.rejects(waiting, { name: 'MaxRetriesPerRequestError' }, 'not by a timeout')
    const back = once(redis, 'ready')
    await other.client('KILL', 'ID', id)
    await failed
    await back
    t.equal(await redis.ping(), 'PONG')
  },
)
