import fc from 'fast-check'
import t from 'tap'
import { fnv1a } from '../src/fnv1a.js'

t.test('matches the published test vectors of 32-bit FNV-1a', async (t) => {
  t.equal(fnv1a(''), 0x811c9dc5)
  t.equal(fnv1a('a'), 0xe40c292c)
  t.equal(fnv1a('foobar'), 0xbf9cf968)
})

t.test('hashes the UTF-8 bytes of any text', async (t) => {
  const ofBytes = (text: string) =>
    Buffer.from(text).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0
  t.equal(fnv1a('ä'), ofBytes('ä'))
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }))
  t.doesNotThrow(() => fc.assert(fc.property(text, (name) => fnv1a(name) === ofBytes(name))))
})
