import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { documentation } from '../src/documentation.js'
import { health } from '../src/health.js'
import { internal } from '../src/internal.js'
import { metrics } from '../src/metrics/metrics.js'

t.test('/ready names the failing checks, with Retry-After', async (t) => {
  const app = Fastify()
  await app.register(internal, { port: undefined })
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

t.test('/ready reports a throwing check without its error', async (t) => {
  const app = Fastify()
  await app.register(internal, { port: undefined })
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

t.test('two apps in one process do not share metrics', async (t) => {
  for (let n = 0; n < 2; n++) {
    const app = Fastify()
    await app.register(internal, { port: 0 })
    await app.register(metrics, { service: 'test', version: '1.2.3' })
    const answer = await app.inject('/metrics')
    t.match(answer.headers['content-type'], /^text\/plain/)
    t.match(answer.body, 'process_cpu_seconds_total')
  }
})

t.test(
  "serves operators' routes on a separate server, on the app's port, or not at all",
  async (t) => {
    const operators = ['/metrics', '/docs', '/docs/openapi.json', '/docs/asyncapi.json']
    const build = async (port: number | undefined) => {
      const app = Fastify({ logger: { level: 'silent' } })
      await app.register(internal, { port })
      await app.register(metrics, { service: 'test', version: '1.2.3' })
      await app.register(documentation, {
        title: 'test',
        description: '',
        version: '1',
        securitySchemes: {},
        securityOf: () => [],
        asyncapi: { asyncapi: '3.0.0' },
      })
      await app.register(health, { checks: {} })
      app.get('/work', { schema: { summary: 'work' } }, async () => 'done')
      await app.ready()
      return app
    }
    const statuses = (app: Pick<FastifyInstance, 'inject'>, paths: readonly string[]) =>
      Promise.all(paths.map(async (path) => (await app.inject(path)).statusCode))
    const all = [...operators, '/health', '/ready']

    const [none, shared, apart] = [await build(undefined), await build(0), await build(9464)]
    t.same(await statuses(none, all), [404, 404, 404, 404, 200, 200])
    t.equal(none.internal, undefined)
    t.same(await statuses(shared, all), [200, 200, 200, 200, 200, 200])
    t.equal(shared.internal, shared)
    t.same(await statuses(apart, all), [404, 404, 404, 404, 200, 200])
    const { internal: server } = apart
    if (server === undefined) {
      throw new Error('no server')
    }
    t.same(await statuses(server, all), [200, 200, 200, 200, 200, 200])
    t.same(await statuses(server, ['/work', '/nowhere']), [404, 404], 'no other route')

    const openapi = (await server.inject('/docs/openapi.json')).json()
    t.same(Object.keys(openapi.paths).sort(), ['/health', '/ready', '/work'])
    t.same((await server.inject('/docs')).json(), openapi, 'JSON unless HTML is accepted')
    const page = await server.inject({ url: '/docs', headers: { accept: 'text/html' } })
    t.match(page.body, /swagger-ui/)
    t.match(page.headers['content-security-policy'], /script-src 'self'/)
    t.match((await server.inject('/metrics')).headers, {
      'x-content-type-options': 'nosniff',
      'content-security-policy': /default-src 'none'/,
    })

    await server.listen({ host: '127.0.0.1', port: 0 })
    for (const app of [none, shared, apart]) {
      await app.close()
    }
    t.notOk(server.server.listening, 'the separate server closes with the app')
  },
)

t.test('/health shows warnings, and stays 200', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(internal, { port: undefined })
  await app.register(health, { checks: {}, warnings: { redis: 'is shared' } })
  const answer = await app.inject('/health')
  t.equal(answer.statusCode, 200)
  t.same(answer.json(), { status: 'ok', warnings: { redis: 'is shared' } })
  t.equal((await app.inject('/ready')).statusCode, 200)
})

t.test('/health answers 503 on both servers when the process has to end', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(internal, { port: 9464 })
  let reason: string | undefined
  await app.register(health, { alive: () => reason, checks: {} })
  for (const server of [app, app.internal]) {
    if (server === undefined) {
      throw new Error('no server')
    }
    reason = undefined
    t.equal((await server.inject('/health')).statusCode, 200)
    reason = 'a later process has its name'
    const answer = await server.inject('/health')
    t.equal(answer.statusCode, 503)
    t.same(answer.json(), { status: 'failed', reason })
  }
})
