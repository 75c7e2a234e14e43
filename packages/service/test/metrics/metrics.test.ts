import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { internal } from '../../src/internal.js'
import { Durations } from '../../src/metrics/durations.js'
import { metrics } from '../../src/metrics/metrics.js'

async function appWithMetrics(t: Test): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(internal, { port: 0 })
  await app.register(metrics, { service: 'test', version: '1.2.3' })
  return app
}

/** Returns the lines of the metrics whose names begin with `prefix`, without comments. */
async function scrape(app: FastifyInstance, prefix: string): Promise<string[]> {
  const { body } = await app.inject('/metrics')
  return body.split('\n').filter((line) => line.startsWith(prefix))
}

t.test('names the running build', async (t) => {
  const app = await appWithMetrics(t)
  t.same(await scrape(app, 'portcullis_build_info'), [
    `portcullis_build_info{service="test",version="1.2.3",node="${process.version}"} 1`,
  ])
})

t.test('reads counters, gauges and histograms at each scrape', async (t) => {
  const app = await appWithMetrics(t)
  const counts = { good: 1, bad: 0 }
  const taken = new Durations([0.5])
  app.metrics.value({ name: 'app_open', type: 'gauge', help: '-' }, async () => counts.good * 2)
  app.metrics.values(
    { name: 'app_done_total', type: 'counter', help: '-', labels: { result: '-' } },
    () => Object.entries(counts),
  )
  app.metrics.durations({ name: 'app_seconds', type: 'histogram', help: '-' }, () => [[[], taken]])
  t.same(await scrape(app, 'app_'), [
    'app_open 2',
    'app_done_total{result="good"} 1',
    'app_done_total{result="bad"} 0',
    'app_seconds_bucket{le="0.5"} 0',
    'app_seconds_bucket{le="+Inf"} 0',
    'app_seconds_sum 0',
    'app_seconds_count 0',
  ])
  counts.good = 3
  taken.observe(250)
  taken.observe(750)
  t.same(await scrape(app, 'app_'), [
    'app_open 6',
    'app_done_total{result="good"} 3',
    'app_done_total{result="bad"} 0',
    'app_seconds_bucket{le="0.5"} 1',
    'app_seconds_bucket{le="+Inf"} 2',
    'app_seconds_sum 1',
    'app_seconds_count 2',
  ])
})

t.test('measures requests by the pattern of their route and the class of the status', async (t) => {
  const app = await appWithMetrics(t)
  app.get<{ Params: { id: string } }>('/things/:id', async (request, reply) => {
    return reply.code(request.params.id === 'lost' ? 410 : 200).send('')
  })
  app.route({ method: ['POST', 'PUT'], url: '/things', handler: async () => '' })
  for (const id of ['one', 'two', 'lost']) {
    await app.inject(`/things/${id}`)
  }
  await app.inject({ method: 'HEAD', url: '/things/one' })
  await app.inject({ method: 'PUT', url: '/things' })
  await app.inject('/nothing/here')
  await app.inject({ method: 'DELETE', url: '/things/one' })
  const counts = await scrape(app, 'portcullis_http_request_duration_seconds_count')
  t.same(
    counts
      .map((line) => line.slice('portcullis_http_request_duration_seconds_count'.length))
      .sort(),
    [
      '{method="GET",route="/things/:id",status="2xx"} 2',
      '{method="GET",route="/things/:id",status="4xx"} 1',
      '{method="HEAD",route="/things/:id",status="2xx"} 1',
      '{method="PUT",route="/things",status="2xx"} 1',
      '{method="any",route="none",status="4xx"} 2',
    ],
  )
})
