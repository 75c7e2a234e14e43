import t from 'tap'
import { binaryFrame } from '../../src/frames/binary-frame.js'

t.test('makes final binary frames with every header size', async (t) => {
  t.same([...binaryFrame(Buffer.of(7))], [0x82, 1, 7])
  t.same([...binaryFrame(Buffer.alloc(126)).subarray(0, 4)], [0x82, 126, 0, 126])
  t.same([...binaryFrame(Buffer.alloc(65_536)).subarray(0, 4)], [0x82, 127, 0, 0])
})
