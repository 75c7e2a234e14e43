import t from 'tap'
import { table } from './table.js'

t.test('aligns names left and figures right, with a dash for a missing figure', async (t) => {
  const text = table({
    name: 'sample',
    title: 'A sample',
    columns: [
      { key: 'us', title: 'µs', digits: 1 },
      { key: 'ratio', title: '× other', digits: 2 },
    ],
    rows: [
      { name: 'other', figures: { us: 1234.56, ratio: 1 } },
      { name: 'a longer name', figures: { us: 9 } },
    ],
    conditions: ['Said once.'],
  })
  t.same(text.split('\n'), [
    'A sample',
    '',
    '                      µs   × other',
    '  ────────────────────────────────',
    '  other           1234.6      1.00',
    '  a longer name      9.0         -',
    '',
    '  Said once.',
  ])
})
