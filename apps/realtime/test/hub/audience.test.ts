import {
  encodePublication,
  JsonText,
  jsonCodec,
  protobufCodec,
  readTagFilter,
  type TagFilter,
} from '@portcullis/protocol'
import fc from 'fast-check'
import t from 'tap'
import { Audience, type SubscriptionOptions } from '../../src/hub/audience.js'
import type { Member } from '../../src/hub/member.js'
import { DeltaReader } from '../fixtures/delta-reader.js'

/** A member that reads frames like the official client. */
function listener(options: SubscriptionOptions = {}, codec = jsonCodec) {
  const reader = new DeltaReader(codec.binary, options.delta === true)
  const frames: Buffer[] = []
  const got: unknown[] = []
  const deltas: boolean[] = []
  const member: Member = {
    id: 'id',
    session: 'id',
    subject: 'ada',
    identity: 'shop',
    codec,
    deliver: (frame) => {
      frames.push(frame)
      const { data, isDelta } = reader.read(frame)
      got.push(data)
      deltas.push(isDelta)
    },
    end: () => undefined,
    hold: () => undefined,
    subscribe: async () => undefined,
    unsubscribe: () => undefined,
    lost: () => undefined,
  }
  return { member, options, frames, got, deltas }
}

const delta = { delta: true }
const long = 'a text that is long enough for a difference to be worth it'
const state = (n: number, tags: Record<string, string> = {}) =>
  encodePublication({ data: JsonText.of({ long, n }), tags })
const plain = (n: number) => ({ long, n })

function filter(node: object): TagFilter {
  const read = readTagFilter(node)
  if (read === undefined) {
    throw new Error('not a filter')
  }
  return read
}
const kind = (val: string) => filter({ key: 'kind', cmp: 'eq', val })

t.test('sends the first publication whole and then deltas, in one buffer for all', async (t) => {
  const audience = new Audience()
  const early = [listener(delta), listener(delta)]
  const late = listener(delta)
  for (const { member } of early) {
    audience.add(member, 0, delta)
  }
  audience.deliver('a', state(1))
  audience.deliver('a', state(2))
  audience.add(late.member, 0, delta)
  t.equal(audience.deliver('a', state(3)), 3)
  audience.deliver('a', state(4))
  const [one, two] = early
  t.same(one?.got, [1, 2, 3, 4].map(plain))
  t.same(one?.deltas, [false, true, true, true])
  t.same(late.got, [3, 4].map(plain))
  t.same(late.deltas, [false, true])
  for (const at of [0, 1, 2, 3]) {
    t.equal(one?.frames[at], two?.frames[at])
  }
  t.equal(one?.frames[3], late.frames[1])
})

t.test('sends whole publications to subscribers without options', async (t) => {
  const audience = new Audience()
  const [asItIs, differences] = [listener(), listener(delta)]
  audience.add(asItIs.member, 0, {})
  audience.add(differences.member, 0, delta)
  audience.deliver('a', state(1), 1)
  audience.deliver('a', state(2), 2)
  t.same(
    asItIs.frames,
    [1, 2].map((n) => jsonCodec.frame([jsonCodec.publicationPush('a', state(n), n)])),
  )
  t.ok((differences.frames[1]?.length ?? 0) < (asItIs.frames[1]?.length ?? 0))
})

t.test('sends the first publication after a recovered position whole', async (t) => {
  const audience = new Audience()
  const [behind, ahead] = [listener(delta), listener(delta)]
  audience.add(behind.member, 0, delta)
  audience.add(ahead.member, 2, delta)
  for (const n of [1, 2, 3, 4]) {
    audience.deliver('a', state(n), n)
  }
  t.same(ahead.got, [3, 4].map(plain))
  t.same(ahead.deltas, [false, true])
  t.same(behind.deltas, [false, true, true, true])
})

t.test('sends a publication whole when it shares nothing with the previous one', async (t) => {
  const audience = new Audience()
  const [one, two] = [listener(delta), listener(delta, protobufCodec)]
  audience.add(one.member, 0, delta)
  audience.add(two.member, 0, delta)
  audience.deliver('a', state(1))
  audience.deliver('a', encodePublication({ data: JsonText.of(7) }))
  audience.deliver('a', state(1))
  for (const each of [one, two]) {
    t.same(each.got, [plain(1), 7, plain(1)])
    t.same(each.deltas, [false, false, false])
  }
})

t.test('evaluates equal filters once', async (t) => {
  const audience = new Audience()
  let tried = 0
  const counted = (): TagFilter => {
    const { key, matches } = kind('goal')
    return {
      key,
      matches: (tags) => {
        tried += 1
        return matches(tags)
      },
    }
  }
  const goals = [0, 1, 2].map(() => listener({ filter: counted() }))
  const cards = listener({ filter: kind('card') })
  for (const { member, options } of [...goals, cards]) {
    audience.add(member, 0, options)
  }
  t.equal(audience.deliver('a', state(1, { kind: 'goal' })), 3)
  t.equal(audience.deliver('a', state(2, { kind: 'card' })), 1)
  t.equal(audience.deliver('a', state(3)), 0)
  t.equal(tried, 3)
  for (const { got } of goals) {
    t.same(got, [plain(1)])
  }
  t.same(cards.got, [plain(2)])
  const [first, ...others] = goals
  if (first !== undefined) {
    t.ok(audience.delete(first.member))
  }
  const late = listener({ filter: counted() })
  audience.add(late.member, 0, late.options)
  tried = 0
  audience.deliver('a', state(4, { kind: 'goal' }))
  t.equal(tried, 1, 'still evaluated once after a subscriber left')
  t.same(late.got, [plain(4)])
  for (const { got } of others) {
    t.same(got, [1, 4].map(plain))
  }
})

t.test('counts each subscriber once, with any options', async (t) => {
  const audience = new Audience()
  const { member } = listener()
  t.ok(audience.add(member, 0, {}))
  t.notOk(audience.add(member, 0, delta))
  t.notOk(audience.add(member, 0, { filter: kind('goal') }))
  t.equal(audience.size, 1)
  t.same(audience.members(), [member])
  t.ok(audience.delete(member))
  t.notOk(audience.delete(member))
  t.equal(audience.size, 0)
})

t.test(
  'sends the right publications to each subscriber in random sequences of joins and leaves',
  async () => {
    const subscriber = fc.record({
      binary: fc.boolean(),
      delta: fc.boolean(),
      kind: fc.constantFrom(undefined, 'goal', 'card'),
      from: fc.nat(20),
      to: fc.nat(30),
    })
    const publication = fc.record({
      kind: fc.constantFrom('goal', 'card', 'none'),
      at: fc.nat(9),
      value: fc.oneof(fc.integer(), fc.string({ unit: 'grapheme' })),
    })
    fc.assert(
      fc.property(
        fc.array(subscriber, { maxLength: 8 }),
        fc.array(publication, { maxLength: 20 }),
        (people, publications) => {
          const audience = new Audience()
          const fields: unknown[] = Array(10).fill('ein längerer Text')
          const there = people.map((person) => ({
            ...person,
            expected: [] as unknown[],
            ...listener(
              {
                delta: person.delta,
                filter: person.kind === undefined ? undefined : kind(person.kind),
              },
              person.binary ? protobufCodec : jsonCodec,
            ),
          }))
          for (const [now, { at, value, kind: tag }] of publications.entries()) {
            fields[at] = value
            for (const { from, to, member, options } of there) {
              if (from === now) {
                audience.add(member, 0, options)
              }
              if (to === now) {
                audience.delete(member)
              }
            }
            audience.deliver(
              'a',
              encodePublication({ data: JsonText.of(fields), tags: { kind: tag } }),
            )
            for (const { from, to, kind: wanted, expected } of there) {
              const isIn = now >= from && (now < to || to < from)
              if (isIn && (wanted === undefined || wanted === tag)) {
                expected.push([...fields])
              }
            }
          }
          for (const { got, expected } of there) {
            if (JSON.stringify(got) !== JSON.stringify(expected)) {
              return false
            }
          }
          return true
        },
      ),
      { numRuns: 200 },
    )
  },
)
