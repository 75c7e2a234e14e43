import fc from 'fast-check'
import t from 'tap'
import { median, percentile, spreadPercent } from './statistics.js'

t.test('percentiles use the nearest rank, in any order of values', async (t) => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index)
  t.equal(percentile(values, 50), 50)
  t.equal(percentile(values, 99), 99)
  t.equal(percentile(values, 100), 100)
  t.equal(percentile(values, 0.5), 1)
  t.equal(percentile([7], 1), 7, 'one value is every percentile')
})

t.test('a percentile is one of the values, with the right share at or below it', async () => {
  const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 })
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
      const found = percentile(all, percent)
      const below = all.filter((value) => value <= found).length
      return all.includes(found) && below * 100 >= percent * all.length
    }),
  )
})

t.test('rejects an empty list and invalid percentages', async (t) => {
  t.throws(() => percentile([], 50), RangeError)
  t.throws(() => percentile([1], 0), RangeError)
  t.throws(() => percentile([1], 101), RangeError)
  t.throws(() => median([]), RangeError)
})

t.test('the median sorts by number, not by text', async (t) => {
  t.equal(median([10, 9, 100]), 10)
  t.equal(median([4, 1, 2, 3]), 2.5)
})

t.test('the spread is the range relative to the median', async (t) => {
  t.equal(spreadPercent([90, 100, 120]), 30)
  t.equal(spreadPercent([5]), 0)
  t.equal(spreadPercent([0, 0]), 0, 'not NaN')
})
