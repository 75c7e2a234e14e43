import t from 'tap'
import { readDecimal } from '../../src/tag-filter/read-decimal.js'

const unit = 10n ** 19n

t.test('reads decimal numbers exactly', async (t) => {
  t.equal(readDecimal('0'), 0n)
  t.equal(readDecimal('-0'), 0n)
  t.equal(readDecimal('+12'), 12n * unit)
  t.equal(readDecimal('-1.5'), (-3n * unit) / 2n)
  t.equal(readDecimal('007.10'), (71n * unit) / 10n)
  t.equal(readDecimal('0.0000000000000000001'), 1n)
  t.equal(readDecimal('9007199254740993'), 9_007_199_254_740_993n * unit)
})

t.test('rejects other text', async (t) => {
  const texts = [
    '',
    ' ',
    ' 1',
    '1 ',
    '1e3',
    '0x10',
    'NaN',
    'Infinity',
    '1.',
    '.5',
    '1,5',
    '--1',
    '١',
  ]
  for (const text of [...texts, '9'.repeat(180), `0.${'1'.repeat(20)}`]) {
    t.equal(readDecimal(text), undefined, text)
  }
})
