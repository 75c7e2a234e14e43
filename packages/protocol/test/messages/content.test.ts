import fc from 'fast-check'
import t from 'tap'
import { bytesOfContent, contentOfBytes, jsonOfContent } from '../../src/messages/content.js'

t.test('keeps bytes of compact JSON as a value, and all other bytes as base64', async (t) => {
  for (const text of ['null', '1', '"a"', '{"a":[1,2]}', '{"__proto__":1}', '"ü"']) {
    t.same(contentOfBytes(Buffer.from(text)), { data: JSON.parse(text) }, text)
  }
  for (const text of ['', ' 1', '1.0', '{"a": 1}', '{"a":1,"a":2}', 'x', '\ufeff1', '"\\u0041"']) {
    t.same(contentOfBytes(Buffer.from(text)), { b64: Buffer.from(text).toString('base64') }, text)
  }
  t.same(contentOfBytes(Buffer.of(0x22, 0xff, 0x22)), { b64: 'Iv8i' }, 'JSON in broken UTF-8')
  const deep = Buffer.from('['.repeat(30_000) + ']'.repeat(30_000))
  t.same(bytesOfContent(contentOfBytes(deep)), deep, 'nested too deep to be written')
})

t.test('returns the value, or the base64 of bytes that are no JSON', async (t) => {
  t.same(jsonOfContent({ data: [1] }), [1])
  t.same(jsonOfContent(contentOfBytes(Buffer.from('{ "a": 1 }'))), { a: 1 })
  t.equal(jsonOfContent({ b64: 'Iv8i' }), 'Iv8i')
  const deep = Buffer.from('['.repeat(30_000) + ']'.repeat(30_000))
  t.equal(jsonOfContent(contentOfBytes(deep)), deep.toString('base64'))
})

t.test('keeps all bytes', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => Buffer.from(json)),
      ),
      (bytes) => bytesOfContent(contentOfBytes(bytes)).equals(bytes),
    ),
  )
})
