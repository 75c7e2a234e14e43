import fc from 'fast-check'
import t from 'tap'
import { JsonText, maxJsonDepth } from '../../src/json/json-text.js'
import { writeJson } from '../../src/json/write-json.js'
import { jsonSource } from '../fixtures/json-source.js'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

t.test('reads the texts that JSON.parse accepts, and keeps all but line breaks', async () => {
  const text = fc.oneof(
    jsonSource,
    fc.string({ unit: 'binary' }),
    fc.json(),
    jsonSource.map((json) => `${json},`),
  )
  fc.assert(
    fc.property(text, (json) => {
      const read = JsonText.read(json)
      return isJson(json)
        ? read?.text === json.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '').replace(/[\r\n]/g, ' ')
        : read === undefined
    }),
    { numRuns: 2000 },
  )
})

t.test('refuses values that are nested too deep', async (t) => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  t.ok(JsonText.read(nested(maxJsonDepth)))
  t.equal(JsonText.read(nested(maxJsonDepth + 1)), undefined)
  t.equal(JsonText.read(nested(100_000)), undefined)
  t.equal(JsonText.member(`{"a":${nested(maxJsonDepth + 1)}}`, ['a']), undefined)
})

t.test('is written as its text', async (t) => {
  fc.assert(
    fc.property(jsonSource, fc.jsonValue(), (json, other) => {
      const data = JsonText.read(json)
      const written = writeJson({ data, list: [data, other], none: undefined })
      const text = data?.text
      return written === `{"data":${text},"list":[${text},${JSON.stringify(other)}]}`
    }),
  )
  t.equal(writeJson(undefined), 'null')
  t.throws(() => JSON.stringify({ data: JsonText.of(1) }), TypeError)
})
