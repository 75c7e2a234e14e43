import t from 'tap'
import { benchmarkNames, parseOptions } from './options.js'

t.test('without flags everything runs in full', async (t) => {
  t.same(parseOptions([]), { only: benchmarkNames, quick: false, out: '.portcullis/bench.json' })
})

t.test('flags choose', async (t) => {
  t.same(parseOptions(['--only', 'memory, fanout', '--quick', '--out', 'x.json']), {
    only: ['memory', 'fanout'],
    quick: true,
    out: 'x.json',
  })
})

t.test('what is not understood is refused and says so', async (t) => {
  t.throws(() => parseOptions(['--only', 'fan-out']), { code: 'USAGE', message: /"fan-out"/ })
  t.throws(() => parseOptions(['--only', '']), { code: 'USAGE' })
  t.throws(() => parseOptions(['--fast']), { code: 'USAGE', message: /--fast/ })
  t.throws(() => parseOptions(['memory']), { code: 'USAGE' })
})
