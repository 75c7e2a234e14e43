import t from 'tap'
import { Durations } from '../../src/metrics/durations.js'

t.test('counts durations up to each bound, bounds included', async (t) => {
  const durations = new Durations([0.001, 0.01])
  for (const ms of [0.5, 1, 1.5, 10, 11, 4000]) {
    durations.observe(ms)
  }
  t.same(durations.cumulative(), [2, 4, 6])
  t.equal(durations.sum.toFixed(6), '4.024000')
})
