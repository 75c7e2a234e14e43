import { once } from 'node:events'
import t from 'tap'
import { connect, openPool, type Redis } from '../src/index.js'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

/** Returns a pool, and every connection that it made. */
function pool(size: number) {
  const made: Redis[] = []
  const make = () => {
    const redis = connect({ url, role: 'waiting', onError: () => undefined })
    made.push(redis)
    return redis
  }
  return { made, ...openPool({ make, size }) }
}

/** Resolves when the connection has ended. */
async function ended(redis: Redis | undefined): Promise<void> {
  if (redis !== undefined && redis.status !== 'end') {
    await once(redis, 'end')
  }
}

/** Returns work that ends when `release` is called. */
function held() {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const work = () => {
    begin()
    return released
  }
  return { work, begun, release: () => release() }
}

t.test('makes connections when needed, and lends them again', async (t) => {
  const { lend, close, made } = pool(4)
  t.equal(made.length, 0)
  for (const _again of [1, 2, 3]) {
    t.equal(await lend((redis) => redis.ping(), 1000), 'PONG')
  }
  t.equal(made.length, 1)
  const [one, two] = [held(), held()]
  const both = [lend(one.work, 1000), lend(two.work, 1000)]
  await Promise.all([one.begun, two.begun])
  t.equal(made.length, 2, 'each caller has its own')
  one.release()
  two.release()
  await Promise.all(both)
  await close()
  t.same(
    made.map(({ status }) => status),
    ['end', 'end'],
  )
})

t.test('waits for a connection when all are in use, but not for ever', async (t) => {
  const { lend, close, made } = pool(1)
  const first = held()
  const lent = lend(first.work, 1000)
  await first.begun
  await t.rejects(
    lend((redis) => redis.ping(), 20),
    { code: 'REDIS_POOL_BUSY' },
  )
  const next = lend((redis) => redis.ping(), 60_000)
  first.release()
  t.equal(await next, 'PONG')
  await lent
  t.equal(made.length, 1)
  await close()
})

t.test('drops a connection after failed work or a lost connection', async (t) => {
  const { lend, close, made } = pool(1)
  await t.rejects(
    lend(() => Promise.reject(new Error('no')), 1000),
    { message: 'no' },
  )
  await ended(made[0])
  t.equal(await lend((redis) => redis.ping(), 1000), 'PONG')
  const lost = made[1]
  if (lost === undefined) {
    throw new Error('no connection was made')
  }
  lost.stream.destroy()
  await once(lost, 'close')
  t.equal(await lend((redis) => redis.ping(), 1000), 'PONG')
  t.equal(made.length, 3)
  await close()
})

t.test('closing ends waiting callers, and used connections when they are returned', async (t) => {
  const { lend, close, made } = pool(1)
  const first = held()
  const lent = lend(first.work, 1000)
  await first.begun
  const next = t.rejects(
    lend((redis) => redis.ping(), 60_000),
    { code: 'REDIS_POOL_BUSY' },
  )
  await close()
  await next
  first.release()
  await lent
  await ended(made[0])
  await t.rejects(
    lend((redis) => redis.ping(), 1000),
    { code: 'REDIS_POOL_BUSY' },
  )
})

t.test('a failed connection is an error, and frees its place', async (t) => {
  let target = 'unix:///nowhere/redis.sock'
  const { lend, close } = openPool({
    make: () => connect({ url: target, role: 'waiting', onError: () => undefined }),
    size: 1,
  })
  await t.rejects(lend((redis) => redis.ping(), 1000))
  target = url
  t.equal(await lend((redis) => redis.ping(), 1000), 'PONG')
  await close()
})
