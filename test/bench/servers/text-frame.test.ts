import t from 'tap'
import { textFrame } from './text-frame.js'

t.test('the length takes one byte up to 125, then two more', async (t) => {
  t.same([...textFrame('ab')], [0x81, 2, 0x61, 0x62])
  t.same([...textFrame('x'.repeat(125)).subarray(0, 3)], [0x81, 125, 0x78])
  t.same([...textFrame('x'.repeat(126)).subarray(0, 5)], [0x81, 126, 0, 126, 0x78])
  t.same(
    [...textFrame('é'.repeat(300)).subarray(0, 4)],
    [0x81, 126, 2, 88],
    'bytes, not characters',
  )
  t.throws(() => textFrame('x'.repeat(65_536)), RangeError)
})
