import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import t from 'tap'
import { EndedCounters } from '../../src/workers/ended-counters.js'

/** Returns the metrics of a worker that has counted `count` things. */
async function metricsOf(count: number) {
  const registry = new Registry()
  const registers = [registry]
  const counter = new Counter({ name: 'things', help: '-', labelNames: ['kind'], registers })
  counter.inc({ kind: 'a' }, count)
  new Gauge({ name: 'open', help: '-', registers }).set(count)
  const histogram = new Histogram({ name: 'took', help: '-', buckets: [5], registers })
  histogram.observe(count)
  return registry.getMetricsAsJSON()
}

/** Returns the values of the counters by name, labels included. */
async function sumOf(counters: EndedCounters) {
  const values = (await counters.sum()).flatMap((metric) =>
    metric.values.map(({ labels, value, ...more }) => {
      const name = 'metricName' in more ? more.metricName : metric.name
      return [`${name} ${JSON.stringify(labels)}`, value] as const
    }),
  )
  return Object.fromEntries(values)
}

t.test('adds the last counters of workers that have ended', async (t) => {
  const counters = new EndedCounters()
  t.same(await sumOf(counters), {})
  counters.reported(1, await metricsOf(2))
  counters.reported(1, await metricsOf(3))
  counters.reported(2, await metricsOf(9))
  t.same(await sumOf(counters), {}, 'while they run, they report for themselves')
  counters.ended(1)
  counters.ended(1)
  counters.ended(2)
  t.same(
    await sumOf(counters),
    {
      'things {"kind":"a"}': 12,
      'took_bucket {"le":5}': 1,
      'took_bucket {"le":"+Inf"}': 2,
      'took_sum {}': 12,
      'took_count {}': 2,
    },
    'gauges end with their process',
  )
})
