import t from 'tap'
import { excesses } from './usual.js'

t.test('accepts counts up to twice the usual number, and counts that were not taken', async (t) => {
  t.same(excesses('a unit', { calls: 8 }, { calls: 4, others: 1 }), [])
  t.same(excesses('a unit', { calls: 0.4 }, { calls: 0.01 }), [], 'noise')
})

t.test('says what grew', async (t) => {
  t.match(excesses('a unit', { calls: 9, others: 1 }, { calls: 4, others: 1 }), [
    /^a unit took 9\.00 calls; it usually takes 4,/,
  ])
})
