import fc from 'fast-check'
import t from 'tap'
import { median, percentile, spreadPercent } from './statistics.js'

t.test('percentiles are by nearest rank, whatever the order', async (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  t.equal(percentile(values, 50), 50)
  t.equal(percentile(values, 99), 99)
  t.equal(percentile(values, 100), 100)
  t.equal(percentile(values, 0.5), 1)
  t.equal(percentile([7], 1), 7, 'one value is every percentile')
})

t.test('a percentile is one of the values, and as many lie at or below it as it says', async () => {
  const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 })
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
      const found = percentile(all, percent)
      const below = all.filter((value) => value <= found).length
      return all.includes(found) && below * 100 >= percent * all.length
    }),
  )
})

t.test('no values, or a percentage that is none, is refused', async (t) => {
  t.throws(() => percentile([], 50), RangeError)
  t.throws(() => percentile([1], 0), RangeError)
  t.throws(() => percentile([1], 101), RangeError)
  t.throws(() => median([]), RangeError)
})

t.test('the median is the middle, by number and not by text', async (t) => {
  t.equal(median([10, 9, 100]), 10)
  t.equal(median([4, 1, 2, 3]), 2.5)
})

t.test('the spread tells how far the rounds were apart', async (t) => {
  t.equal(spreadPercent([90, 100, 120]), 30)
  t.equal(spreadPercent([5]), 0)
  t.equal(spreadPercent([0, 0]), 0, 'not NaN')
})
