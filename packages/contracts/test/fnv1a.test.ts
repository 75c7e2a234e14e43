import t from 'tap'
import { fnv1a } from '../src/fnv1a.js'

t.test('matches the published test vectors of 32-bit FNV-1a', async (t) => {
  t.equal(fnv1a(''), 0x811c9dc5)
  t.equal(fnv1a('a'), 0xe40c292c)
  t.equal(fnv1a('foobar'), 0xbf9cf968)
})

t.test('hashes UTF-8 bytes', async (t) => {
  t.not(fnv1a('ä'), fnv1a('\u00e4'.normalize('NFD')))
  t.equal(
    fnv1a('ä'),
    Buffer.from('ä').reduce((h, b) => Math.imul(h ^ b, 0x01000193), 0x811c9dc5) >>> 0,
  )
})
