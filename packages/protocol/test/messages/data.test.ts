import fc from 'fast-check'
import t from 'tap'
import { JsonText, maxJsonDepth } from '../../src/json/json-text.js'
import { bytesOfData, dataOfBytes, jsonOfData } from '../../src/messages/data.js'

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

t.test('holds bytes of JSON on one line as JSON, and all other bytes unchanged', async (t) => {
  for (const text of ['null', '1.0', '{"a": 1}', '{"a":1,"a":2}', '"ü"', '"\\u0041"', '1e400']) {
    t.match(dataOfBytes(Buffer.from(text)), { text }, text)
  }
  for (const text of ['', ' 1', '1\t', '[\n1]', '[\r1]', 'x', '\ufeff1', nested(513)]) {
    t.same(dataOfBytes(Buffer.from(text)), Buffer.from(text), JSON.stringify(text))
  }
  t.same(dataOfBytes(Buffer.of(0x22, 0xff, 0x22)), Buffer.of(0x22, 0xff, 0x22), 'broken UTF-8')
})

t.test('returns JSON for the JSON form: the base64 of bytes that are no JSON', async (t) => {
  const texts = { ' {"a":\r\n1.0} ': '{"a":  1.0}', x: '"eA=="', '': '""', '\xff': '"/w=="' }
  for (const [bytes, text] of Object.entries(texts)) {
    t.equal(jsonOfData(dataOfBytes(Buffer.from(bytes, 'latin1'))).text, text)
  }
  const deep = nested(maxJsonDepth + 1)
  t.equal(jsonOfData(Buffer.from(deep)).text, `"${Buffer.from(deep).toString('base64')}"`)
  t.equal(jsonOfData(JsonText.of([1])).text, '[1]')
})

t.test('keeps all bytes', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => Buffer.from(json)),
      ),
      (bytes) => bytesOfData(dataOfBytes(bytes)).equals(bytes),
    ),
  )
})
