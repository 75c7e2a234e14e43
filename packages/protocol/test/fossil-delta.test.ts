import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { fossilDelta } from '../src/fossil-delta.js'
import { officialCodec } from './fixtures/official-codec.js'

const official = officialCodec()

/** What the official client makes of it. */
function applied(base: Buffer, delta: Buffer): Buffer {
  const { newData } = official.applyDeltaIfNeeded({ delta: true, data: delta }, base)
  return Buffer.from(newData)
}

/** Texts that have much in common, as successive states of something have; and bytes of any kind. */
const word = fc.constantFrom(
  'привет',
  'пока, ',
  '日本語テキスト',
  '日本誌',
  '👋🏽',
  '👋🏿',
  'abc',
  '{"n":1}',
)
const text = fc.array(word, { maxLength: 60 }).map((words) => Buffer.from(words.join('')))
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const few = fc
  .array(fc.constantFrom(0, 128, 255), { maxLength: 300 })
  .map((array) => Buffer.from(array))
const content = fc.oneof(text, bytes, few)
const pair = fc.oneof(
  fc.tuple(content, content),
  // The second is the first with something else in one place.
  fc
    .tuple(content, content, fc.nat())
    .map(([base, other, at]): [Buffer, Buffer] => [
      base,
      Buffer.concat([
        base.subarray(0, at % (base.length + 1)),
        other,
        base.subarray(at % (base.length + 1)),
      ]),
    ]),
)

t.test('the official client gets what was meant, and UTF-8 stays UTF-8', async () => {
  fc.assert(
    fc.property(pair, ([base, target]) => {
      const delta = fossilDelta(base, target)
      if (delta === undefined) {
        return true
      }
      return (
        delta.length < target.length &&
        applied(base, delta).equals(target) &&
        (!isUtf8(target) || isUtf8(delta))
      )
    }),
    { numRuns: 2000 },
  )
})

t.test('a change in a large document is small', async (t) => {
  const state = (score: number) =>
    Buffer.from(
      JSON.stringify({
        players: Array.from({ length: 100 }, (_, at) => ({
          name: `player ${at}`,
          score: at === 50 ? score : at * 7919,
        })),
      }),
    )
  const delta = fossilDelta(state(1), state(2))
  t.ok(delta !== undefined && delta.length < 60, `${delta?.length} bytes`)
  if (delta !== undefined) {
    t.same(applied(state(1), delta), state(2))
  }
})

t.test('no character is cut in two', async (t) => {
  // The bytes of е and ж, and of ш and щ, differ in the second alone.
  const base = Buffer.from('одно длинное слово: ежеш, и ещё одно')
  const target = Buffer.from('одно длинное слово: жежщ, и ещё одно')
  const delta = fossilDelta(base, target)
  if (delta === undefined) {
    throw new Error('there is one')
  }
  t.ok(isUtf8(delta))
  t.same(applied(base, delta), target)
})

t.test('nothing, and what has nothing in common, is sent in full', async (t) => {
  const cases = [
    ['', ''],
    ['', 'something that is long enough'],
    ['something that is long enough', ''],
    ['something that is long enough', 'quite another matter, 123456'],
  ]
  for (const [base = '', target = ''] of cases) {
    t.equal(fossilDelta(Buffer.from(base), Buffer.from(target)), undefined, `${base} -> ${target}`)
  }
})

t.test('what is made to look alike everywhere costs little', async (t) => {
  const length = 262_144
  const base = Buffer.alloc(length, 'a')
  const target = Buffer.from(`${'a'.repeat(20)}b`.repeat(length / 21))
  const began = process.cpuUsage()
  const delta = fossilDelta(base, target)
  const { user } = process.cpuUsage(began)
  if (delta === undefined) {
    throw new Error('there is one')
  }
  t.same(applied(base, delta), target)
  // A search through all places that look alike takes a hundred times as long.
  t.ok(user < 400_000, `${user} µs`)
})
