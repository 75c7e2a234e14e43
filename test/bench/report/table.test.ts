import t from 'tap'
import type { Result } from './result.js'
import { table } from './table.js'

const result: Result = {
  name: 'sample',
  title: 'A sample',
  columns: [
    { key: 'cpu', title: 'CPU µs', digits: 1 },
    { key: 'redis', title: 'Redis µs', digits: 1 },
    { key: 'time', title: 'time µs', digits: 0 },
  ],
  cases: [
    {
      name: 'alone',
      rows: [
        { name: 'ours', figures: { cpu: 1234.56, time: 10 } },
        { name: 'theirs', figures: { cpu: 9, time: 20 }, ratio: { median: 2, min: 1.5, max: 3 } },
        {
          name: 'far away',
          figures: { time: 40 },
          ratio: { median: 0.25, min: 0.2, max: 0.3, by: 'time' },
        },
      ],
      rounds: 5,
      warmUp: { rounds: 4, moving: [] },
    },
  ],
  conditions: ['Said once.'],
  measured: {
    ...{ node: '20.0.0', redis: '7.0', system: 'Linux', cpu: 'a CPU', cores: 2, load: [0.1, 2] },
    at: '2026-01-01',
  },
}

t.test('shows ratios before figures, and no column that has none', async (t) => {
  t.same(table(result).split('\n'), [
    'A sample',
    '',
    '                     ours ÷ this       range   CPU µs   time µs',
    '  ─────────────────────────────────────────────────────────────',
    '  alone   ours                                 1234.6        10',
    '          theirs            2.00   1.50–3.00      9.0        20',
    '          far away   0.25 (time)   0.20–0.30        -        40',
    '',
    '  Said once.',
    '  far away is compared by time: its CPU is not known.',
    '  Median and range of 5 alternating rounds; ratios are taken round by round. Before them 4 rounds of warm-up, until the last three differed by less than a tenth.',
    '  Node 20.0.0, Redis 7.0, Linux, a CPU, 2 cores; load average 0.1 to 2; 2026-01-01.',
  ])
})

t.test('names the sides that did not stand still', async (t) => {
  const [one] = result.cases
  t.match(
    table({
      ...result,
      cases: one === undefined ? [] : [{ ...one, warmUp: { rounds: 10, moving: ['theirs'] } }],
    }),
    /10 rounds of warm-up, after which .* differed by more than a tenth for theirs \(alone\)\./,
  )
})
