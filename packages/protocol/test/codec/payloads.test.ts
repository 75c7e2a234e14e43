import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import type { Codec } from '../../src/codec/codec.js'
import { jsonCodec } from '../../src/codec/json-codec.js'
import { protobufCodec } from '../../src/codec/protobuf-codec.js'
import { fossilDelta } from '../../src/fossil-delta.js'
import { JsonText } from '../../src/json/json-text.js'
import { bytesOfData, type Data, dataOfBytes, jsonOfData } from '../../src/messages/data.js'
import type { Publication } from '../../src/messages/publications.js'
import { officialCodec, officialJsonCodec } from '../fixtures/official-codec.js'

const forms = {
  json: { codec: jsonCodec, official: officialJsonCodec() },
  protobuf: { codec: protobufCodec, official: officialCodec() },
}

/** Returns the publication that the official client decodes from a push, before it applies deltas. */
function pushed(build: keyof typeof forms, message: string | Buffer): Record<string, unknown> {
  const [reply] =
    build === 'json'
      ? forms.json.official.decodeReplies(message.toString())
      : forms.protobuf.official.decodeReplies(Buffer.from(message))
  return Reflect.get(Object(reply?.['push']), 'pub')
}

/** Pushes publications in order, and returns what the official client restores. */
function received(build: keyof typeof forms, publications: readonly Publication[]) {
  const { official } = forms[build]
  const codec: Codec = forms[build].codec
  let base: Buffer | undefined
  let previous: unknown
  return publications.map((publication, at) => {
    const whole = codec.payload(publication)
    const delta = base === undefined ? undefined : fossilDelta(base, whole)
    base = whole
    const payload = { bytes: delta ?? whole, isDelta: delta !== undefined }
    const pub = pushed(build, codec.payloadPush('a', publication, payload, at + 1))
    const { newData, newPrevValue, isDelta } = official.applyDeltaIfNeeded(pub, previous)
    previous = newPrevValue
    return { data: newData, isDelta, offset: Number(pub['offset']), pub }
  })
}

const expected = {
  json: (data: Data): unknown => JSON.parse(jsonOfData(data).text),
  protobuf: (data: Data) => bytesOfData(data),
}

/** Successive, similar states, as JSON or as bytes that are no JSON. */
const states: fc.Arbitrary<Data[]> = fc
  .tuple(
    fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { minLength: 8, maxLength: 12 }),
    fc.array(
      fc.tuple(fc.nat(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()), fc.nat(5)),
      { minLength: 1, maxLength: 8 },
    ),
  )
  .map(([fields, changes]) => {
    const state: unknown[] = fields
    return changes.map(([at, value, kind]) => {
      state[at % state.length] = value
      const json = JSON.stringify(state)
      if (kind === 0) {
        return dataOfBytes(Buffer.from(` ${json}`))
      }
      if (kind === 1) {
        return dataOfBytes(Buffer.from(`${json}\xff`, 'latin1'))
      }
      return dataOfBytes(Buffer.from(json))
    })
  })

for (const build of ['json', 'protobuf'] as const) {
  t.test(`${build}: the official client restores the published data`, async (t) => {
    let deltas = 0
    fc.assert(
      fc.property(
        fc.oneof(states, fc.array(fc.json().map((json) => dataOfBytes(Buffer.from(json))))),
        (list) => {
          const got = received(
            build,
            list.map((data) => ({ data })),
          )
          deltas += got.filter(({ isDelta }) => isDelta).length
          return isDeepStrictEqual(
            got.map(({ data }) => (data instanceof Uint8Array ? Buffer.from(data) : data)),
            list.map(expected[build]),
          )
        },
      ),
      { numRuns: 300 },
    )
    t.ok(deltas > 100, `${deltas} deltas`)
  })

  t.test(`${build}: pushes info, tags and offset with a payload`, async (t) => {
    const data = JsonText.of('the same long text, again and again')
    const about = { info: { user: 'ada', client: 'c1' }, tags: { a: 'b' } }
    const [first, second] = received(build, [{ data, ...about }, { data, ...about }, { data }])
    t.match(first, { isDelta: false, offset: 1, pub: about })
    t.match(second, { isDelta: true, offset: 2, pub: about })
  })
}

t.test('sends recovered publications in full, in the JSON form as text', async (t) => {
  const publications = [
    { data: JsonText.of({ a: 1 }), offset: 1, tags: { a: 'b' } },
    { data: Buffer.of(0xff), offset: 2 },
  ]
  const subscribe = { offset: 2, epoch: 'e', recovered: true, delta: true, publications } as const
  const [json] = forms.json.official.decodeReplies(String(jsonCodec.reply(1, { subscribe })))
  t.same(json, {
    id: 1,
    subscribe: {
      ...subscribe,
      publications: [
        { data: '{"a":1}', offset: 1, tags: { a: 'b' } },
        { data: '"/w=="', offset: 2 },
      ],
    },
  })
  const reply = Buffer.from(protobufCodec.reply(1, { subscribe }))
  const [protobuf] = forms.protobuf.official.decodeReplies(reply)
  t.match(protobuf, {
    subscribe: {
      delta: true,
      publications: [{ data: Buffer.from('{"a":1}') }, { data: Buffer.of(0xff) }],
    },
  })
})
