import t from 'tap'
import { benchmarkNames, parseOptions } from './options.js'

t.test('runs every benchmark in full without flags', async (t) => {
  t.same(parseOptions([]), { only: benchmarkNames, quick: false, out: '.portcullis/bench.json' })
})

t.test('parses flags', async (t) => {
  t.same(parseOptions(['--only', 'memory, fanout', '--quick', '--out', 'x.json']), {
    only: ['memory', 'fanout'],
    quick: true,
    out: 'x.json',
  })
})

t.test('rejects unknown names and flags', async (t) => {
  t.throws(() => parseOptions(['--only', 'fan-out']), { code: 'USAGE', message: /"fan-out"/ })
  t.throws(() => parseOptions(['--only', '']), { code: 'USAGE' })
  t.throws(() => parseOptions(['--fast']), { code: 'USAGE', message: /--fast/ })
  t.throws(() => parseOptions(['memory']), { code: 'USAGE' })
})
