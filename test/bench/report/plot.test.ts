import t from 'tap'
import { plot } from './plot.js'

const result = {
  title: 'A < B',
  cases: [
    {
      name: 'alone',
      rows: [
        { name: 'ours', figures: {} },
        { name: 'theirs', figures: {}, ratio: { median: 2, min: 1, max: 4 } },
        { name: 'another', figures: {}, ratio: { median: 0.5, min: 0.5, max: 0.5 } },
      ],
      rounds: 1,
      warmUp: { rounds: 0, moving: [] },
    },
  ],
}

t.test('draws a bar for each compared side, as long as its ratio', async (t) => {
  const svg = plot(result)
  const widths = [...svg.matchAll(/<rect class="(\w+)"[^>]* width="([\d.]+)"/g)]
  t.same(
    widths.map(([, kind]) => kind),
    ['more', 'less'],
  )
  t.equal(Number(widths[0]?.[2]) / Number(widths[1]?.[2]), 4)
  t.match(svg, /alone ÷ theirs/)
  t.match(svg, /ours divided by the other side/)
})

t.test('escapes texts', async (t) => {
  t.match(plot(result), /<title>A &lt; B<\/title>/)
})
