import t from 'tap'
import { judge } from './judge.js'

const acknowledged = new Map([
  [1, 1],
  [2, 2],
  [4, 4],
])
const heard = (...numbers: number[]) => numbers.map((n) => ({ n, offset: n }))

t.test(
  'each once and in order is no breach, with what was never acknowledged or without',
  async (t) => {
    t.same(judge(heard(1, 2, 4), acknowledged), [])
    t.same(judge(heard(1, 2, 3, 4), acknowledged), [])
  },
)

t.test('what is missing, what comes twice and what comes late are breaches', async (t) => {
  t.same(judge(heard(1, 4), acknowledged), ['2 is missing'])
  t.same(judge(heard(1, 2, 2, 4), acknowledged), ['2 came twice'])
  t.same(judge(heard(1, 4, 2), acknowledged), ['2 came at 2, after 4'])
  t.same(judge([], acknowledged), ['1 is missing', '2 is missing', '4 is missing'])
})

t.test('an offset that is not the acknowledged one is a breach', async (t) => {
  t.same(judge([...heard(1, 2), { n: 4, offset: 5 }], acknowledged), [
    '4 came at 5, and was acknowledged at 4',
  ])
})
