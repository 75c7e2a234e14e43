import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { close, connect, connectCommands, isCluster, RedisUrlError } from '../src/index.js'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

const onError = () => undefined

t.test('refuses a malformed URL without showing its password', async (t) => {
  const malformed = [
    ...['', 'localhost:6379', 'http://localhost', 'redis://h:1/x', 'nonsense', 'redis://h:1/%zz'],
    ...['redis+sentinel://h:1', 'redis+sentinel://h:1/', 'redis+sentinel:///mymaster'],
    ...['redis+sentinel://h:1/m?db=x', 'redis+sentinel://h:1/m?pasword=x'],
    ...['redis+sentinel://h:99999/m', 'redis+sentinel://a:1,,b:2/m', 'redis+sentinel://h:1/%zz'],
    ...[
      'redis+cluster://',
      'redis+cluster://h:1/1',
      'redis+cluster://h:1?x=y',
      'redis+other://h:1',
    ],
  ]
  for (const bad of malformed) {
    t.throws(() => connect({ url: bad, onError }), { code: 'REDIS_URL_INVALID' }, bad)
    t.throws(() => connectCommands({ url: bad, onError }), { code: 'REDIS_URL_INVALID' }, bad)
  }
  t.match(new RedisUrlError('redis:/user:hunter2@host').message, /redis:\/\/host:port/)
  const secret = [
    ...['foo://user:hunter2@host', 'redis:/user:hunter2@host', 'user:hunter2@host'],
    ...[
      'redis://user:hunter2/@host/x',
      'redis://a:hunter2@b:hunter2@h:1/x',
      'rediss://:hunter2@h:x',
    ],
    ...['redis+sentinel://u:hunter2@h:1', 'redis+sentinel://h:1/m?x=1&sentinelPassword=hunter2'],
    ...['redis+cluster://u:hunter2@h:1,g:2/3', 'redis+cluster://u:hunter2@h:1,g:2@/3'],
  ]
  for (const url of secret) {
    t.notMatch(
      messageOf(() => connectCommands({ url, onError })),
      /hunter2/,
      url,
    )
  }
})

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof RedisUrlError) {
      return error.message
    }
  }
  throw new Error('the URL was accepted')
}

t.test('parses URLs with several hosts', async (t) => {
  const sentinel = (url: string) => connect({ url, onError }).options
  t.match(
    sentinel('redis+sentinel://u:p%40@a:1,b,[::1]:3/my%20master?db=2&sentinelPassword=s%26'),
    {
      ...{ name: 'my master', db: 2, username: 'u', password: 'p@', sentinelPassword: 's&' },
      sentinels: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26_379 },
        { host: '::1', port: 3 },
      ],
      role: 'master',
      sentinelTLS: undefined,
    },
  )
  t.match(sentinel('rediss+sentinel://a/m'), {
    tls: {},
    sentinelTLS: {},
    enableTLSForSentinelMode: true,
  })
  t.throws(() => connect({ url: 'redis+cluster://a:1', onError }), { code: 'REDIS_IS_CLUSTER' })
  const cluster = connectCommands({ url: 'rediss+cluster://:p@a:1,b', onError })
  t.ok(isCluster(cluster))
  t.match(cluster.options, { redisOptions: { password: 'p', tls: {} } })
})

t.test('a connection answers, and may be closed twice', async (t) => {
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
  await t.rejects(redis.ping(), 'a command is not queued')
  t.ok(errors.length > 0, 'reports the error')
  await close(redis)
})

t.test(
  'a command fails with its connection, although the next connection is ready at once',
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
    // Listen first: the connection may end before KILL is answered.
    const failed = t.rejects(waiting, { name: 'MaxRetriesPerRequestError' }, 'not by a timeout')
    const back = once(redis, 'ready')
    await other.client('KILL', 'ID', id)
    await failed
    await back
    t.equal(await redis.ping(), 'PONG')
  },
)
