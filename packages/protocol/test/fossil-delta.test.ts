import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import t from 'tap'
import { fossilDelta } from '../src/fossil-delta.js'
import { officialCodec } from './fixtures/official-codec.js'

const official = officialCodec()

/** Applies a delta with the official client. */
function applied(base: Buffer, delta: Buffer): Buffer {
  const { newData } = official.applyDeltaIfNeeded({ delta: true, data: delta }, base)
  return Buffer.from(newData)
}

/** Pairs of similar texts, like successive states of a document, and pairs of arbitrary bytes. */
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
  // The second text is the first with one piece replaced.
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

t.test('the official client restores the target, and deltas of UTF-8 are UTF-8', async () => {
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

t.test('a small change of a large document has a small delta', async (t) => {
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

t.test('splits no character', async (t) => {
  // е and ж, and also ш and щ, differ in their second byte only.
  const base = Buffer.from('одно длинное слово: ежеш, и ещё одно')
  const target = Buffer.from('одно длинное слово: жежщ, и ещё одно')
  const delta = fossilDelta(base, target)
  if (delta === undefined) {
    throw new Error('there is one')
  }
  t.ok(isUtf8(delta))
  t.same(applied(base, delta), target)
})

t.test('returns no delta for empty or unrelated data', async (t) => {
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

t.test('bounds the cost of data that is alike everywhere', async (t) => {
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
  // Trying all candidates would take a hundred times as long.
  t.ok(user < 400_000, `${user} µs`)
})
