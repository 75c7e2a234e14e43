import t from 'tap'
import { judge } from './judge.js'

const acknowledged = new Map([
  [1, 1],
  [2, 2],
  [4, 4],
])
const received = (...numbers: number[]) => numbers.map((n) => ({ n, offset: n }))

t.test('accepts each publication once and in order, unacknowledged ones included', async (t) => {
  t.same(judge(received(1, 2, 4), acknowledged), [])
  t.same(judge(received(1, 2, 3, 4), acknowledged), [])
})

t.test('finds missing, duplicate and late publications', async (t) => {
  t.same(judge(received(1, 4), acknowledged), ['2 is missing'])
  t.same(judge(received(1, 2, 2, 4), acknowledged), ['2 arrived twice'])
  t.same(judge(received(1, 4, 2), acknowledged), ['2 arrived at offset 2, after 4'])
  t.same(judge([], acknowledged), ['1 is missing', '2 is missing', '4 is missing'])
})

t.test('finds an offset that differs from the acknowledged one', async (t) => {
  t.same(judge([...received(1, 2), { n: 4, offset: 5 }], acknowledged), [
    '4 arrived at offset 5, but was acknowledged at 4',
  ])
})
