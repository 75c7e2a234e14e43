import t from 'tap'
import { compare, standsStill } from './compare.js'
import type { Case, Prepared, Sample } from './figure.js'

const prepared = (rounds: number, warmUp: number): Prepared => ({
  title: 'a sample',
  columns: [{ key: 'cpu', title: 'CPU µs', digits: 0 }],
  cases: [],
  rounds,
  warmUp,
  conditions: [],
})
const setting = { quick: false, progress: () => undefined }

/** Returns a case whose sides answer with these figures in turn, the last one again and again. */
function caseOf(sides: Readonly<Record<string, Sample[]>>, order: string[] = []): Case {
  return {
    name: 'a case',
    sides: Object.entries(sides).map(([name, samples]) => ({
      name,
      run: async () => {
        order.push(name)
        return (samples.length > 1 ? samples.shift() : samples[0]) ?? {}
      },
    })),
  }
}

t.test('warms up until no side moves, then alternates', async (t) => {
  const order: string[] = []
  const a = [50, 20, 10, 10, 10].map((cpu) => ({ cpu }))
  const { rows, warmUp } = await compare(
    caseOf({ a, b: [{ cpu: 5 }] }, order),
    prepared(2, 10),
    setting,
  )
  t.same(warmUp, { rounds: 5, moving: [] })
  t.same(order.slice(10), ['b', 'a', 'a', 'b'])
  t.same(rows, [
    { name: 'a', figures: { cpu: 10 } },
    { name: 'b', figures: { cpu: 5 }, ratio: { median: 2, min: 2, max: 2 } },
  ])
})

t.test('ends the warm-up at its limit and names the side that moves', async (t) => {
  const a = Array.from({ length: 9 }, (_, round) => ({ cpu: 2 ** round }))
  const { warmUp } = await compare(caseOf({ a, b: [{ cpu: 5 }] }), prepared(1, 4), setting)
  t.same(warmUp, { rounds: 4, moving: ['a'] })
})

t.test('takes the ratio round by round', async (t) => {
  const a = [10, 30, 20].map((cpu) => ({ cpu }))
  const b = [5, 10, 20].map((cpu) => ({ cpu }))
  const { rows } = await compare(caseOf({ a, b }), prepared(3, 0), setting)
  t.same(rows[1]?.ratio, { median: 2, min: 1, max: 3 })
})

t.test('compares the time of a side whose CPU is unknown', async (t) => {
  const sides = { a: [{ cpu: 1, time: 10 }], b: [{ time: 40 }] }
  const { rows } = await compare(caseOf(sides), prepared(1, 0), setting)
  t.same(rows[1]?.ratio, { median: 0.25, min: 0.25, max: 0.25, by: 'time' })
})

t.test('refuses a case without a peer, and a round without a figure', async (t) => {
  await t.rejects(compare(caseOf({ a: [{ cpu: 1 }] }), prepared(1, 0), setting), {
    message: /nothing to compare with/,
  })
  await t.rejects(compare(caseOf({ a: [{ cpu: 1 }], b: [{}] }), prepared(1, 0), setting), {
    message: /no time to compare/,
  })
})

t.test('figures stand still when the last three are close', async (t) => {
  t.notOk(standsStill([10, 10]))
  t.ok(standsStill([99, 10, 10.5, 10.9]))
  t.notOk(standsStill([10, 10, 12]))
})
