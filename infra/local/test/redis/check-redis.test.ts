import { createServer } from 'node:net'
import { close, connect } from '@portcullis/redis'
import t, { type Test } from 'tap'
import { LocalError } from '../../src/errors.js'
import { checkRedis } from '../../src/redis/check-redis.js'
import { startRedis } from '../../src/redis/start-redis.js'
import { startCluster } from '../../src/testing/redis/start-cluster.js'
import { startSentinels } from '../../src/testing/redis/start-sentinels.js'

async function problem(url: string, timeoutMs?: number): Promise<string> {
  const error: unknown = await checkRedis(url, timeoutMs).catch((error: unknown) => error)
  return error instanceof LocalError && error.code === 'redis_unusable'
    ? error.message
    : `not refused as unusable: ${error}`
}

/** A server on a free loopback port that does `answer` with each connection. */
async function serve(t: Test, answer: string | undefined): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (answer !== undefined) {
      socket.on('data', () => socket.write(answer))
    }
    t.teardown(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') {
    throw new Error('no port')
  }
  return address.port
}

t.test('accepts a Redis that answers and takes writes', async (t) => {
  const server = await startRedis({ dir: t.testdir(), durable: false })
  t.teardown(() => server.stop())
  await t.resolves(checkRedis(server.url))
  await t.test('reports a missing or wrong password', async (t) => {
    const redis = connect({ url: server.url, onError: () => undefined })
    t.teardown(() => close(redis))
    await redis.connect()
    await redis.config('SET', 'requirepass', 'right-password')
    t.match(await problem(server.url), 'it asks for a password')
    const wrong = await problem(server.url.replace('unix://', 'unix://:wrong-password@localhost'))
    t.match(wrong, 'it refuses this user name or password')
    t.notMatch(wrong, 'wrong-password', 'the line does not show the password')
  })
})

t.test('names each problem in one line', async (t) => {
  const free = await serve(t, undefined)
  const cases: [string, string | RegExp][] = [
    ['redis://:s3cret@127.0.0.1:1', 'redis://127.0.0.1:1: nothing listens there'],
    ['unix:///nonexistent/redis.sock', 'there is no such socket'],
    ['redis://:s3cret@no-such-host.invalid', /the host (is unknown|cannot be looked up)/],
    ['redis+cluster://:s3cret@127.0.0.1:1,127.0.0.1:2', 'nothing answers there'],
    ['redis+sentinel://:s3cret@127.0.0.1:1/main?sentinelPassword=s3cret', 'nothing answers there'],
    ['http://:s3cret@127.0.0.1', 'it is not a Redis URL'],
    ['s3cret', 'it is not a Redis URL'],
    [`redis://:s3cret@127.0.0.1:${free}`, 'no answer within 0.2 s'],
  ]
  for (const [url, expected] of cases) {
    const line = await problem(url, url.includes(`${free}`) ? 200 : undefined)
    t.match(line, expected, url)
    t.notMatch(line, 's3cret', 'without the password')
    t.notMatch(line, '\n', 'one line')
  }
})

t.test('accepts a Cluster, and a master behind Sentinels', async (t) => {
  await t.resolves(checkRedis((await startCluster(t)).url))
  await t.resolves(checkRedis((await startSentinels(t)).url))
})

t.test('reports a server that is not Redis', async (t) => {
  const port = await serve(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')
  t.match(await problem(`redis://127.0.0.1:${port}`), `cannot use the Redis at redis://127.0.0.1`)
})
