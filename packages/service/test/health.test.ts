import Fastify from 'fastify'
import t from 'tap'
import { health } from '../src/health.js'
import { metrics } from '../src/metrics.js'

t.test('ready names what is not, and says when to ask again', async (t) => {
  const app = Fastify()
  let reason: string | undefined = 'starting'
  await app.register(health, {
    checks: {
      one: () => reason,
      two: async () => undefined,
    },
  })
  const before = await app.inject('/ready')
  t.equal(before.statusCode, 503)
  t.equal(before.headers['retry-after'], '1')
  t.same(before.json(), { status: 'not ready', reasons: { one: 'starting' } })
  reason = undefined
  t.equal((await app.inject('/ready')).statusCode, 200)
  t.same((await app.inject('/health')).json(), { status: 'ok' })
})

t.test('a check that throws is not ready, and its error stays inside', async (t) => {
  const app = Fastify()
  const failing = () => {
    throw new Error('secret')
  }
  await app.register(health, {
    checks: { sync: failing, async: async () => failing() },
  })
  const answer = await app.inject('/ready')
  t.same(answer.json().reasons, { sync: 'check failed', async: 'check failed' })
  t.notMatch(answer.body, 'secret')
})

t.test('two apps in a process have metrics of their own', async (t) => {
  for (let n = 0; n < 2; n++) {
    const app = Fastify()
    await app.register(metrics)
    const answer = await app.inject('/metrics')
    t.match(answer.headers['content-type'], /^text\/plain/)
    t.match(answer.body, 'process_cpu_seconds_total')
  }
})

t.test('/health shows what should be changed, and stays 200', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(health, { checks: {}, warnings: { redis: 'is shared' } })
  const answer = await app.inject('/health')
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { status: 'ok', warnings: { redis: 'is shared' } })
  t.equal((await app.inject('/ready')).statusCode, 200)
})
