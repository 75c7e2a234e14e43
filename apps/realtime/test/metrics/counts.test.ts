import t from 'tap'
import { countClose, newCounts } from '../../src/metrics/counts.js'

t.test('counts closes by code, and those beyond 100 different codes together', async (t) => {
  const counts = newCounts()
  for (let code = 4000; code < 4200; code += 1) {
    countClose(counts, code)
  }
  countClose(counts, 4000)
  t.equal(counts.disconnects.size, 101)
  t.equal(counts.disconnects.get(4000), 2)
  t.equal(counts.disconnects.get('other'), 100)
})
