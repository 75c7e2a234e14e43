import { jsonCodec, protobufCodec } from '@portcullis/protocol'
import fc from 'fast-check'
import t from 'tap'
import { applyOrder } from '../../src/hub/apply-order.js'
import type { Backplane } from '../../src/hub/backplane.js'
import { HubError } from '../../src/hub/errors.js'
import { Hub } from '../../src/hub/hub.js'
import type { Member } from '../../src/hub/member.js'
import type { DisconnectOrder } from '../../src/hub/orders.js'
import { settled } from '../fixtures/memory-node.js'

interface FakeMember extends Member {
  readonly got: Buffer[]
  readonly ended: number[]
}

function member(id: string, subject = 'ada', identity = 'shop', codec = jsonCodec): FakeMember {
  const got: Buffer[] = []
  const ended: number[] = []
  return {
    id,
    session: id,
    subject,
    identity,
    codec,
    got,
    ended,
    deliver: (frame) => got.push(frame),
    end: ({ code }) => ended.push(code),
    hold: () => undefined,
    subscribe: async () => undefined,
    unsubscribe: () => undefined,
    lost: () => undefined,
  }
}

/** A hub whose channels have no streams. */
function hubOf(backplane: Pick<Backplane, 'join' | 'leave'>): Hub {
  const none = () => Promise.reject(new Error('channels have no streams'))
  return new Hub({
    backplane: { ...backplane, read: none, positions: none, disown: none },
    hasStream: () => false,
  })
}

/** A backplane that confirms at once and records its calls. */
function instant() {
  const log: string[] = []
  const hub = hubOf({
    join: async (channel) => {
      log.push(`+${channel}`)
    },
    leave: (channel) => log.push(`-${channel}`),
  })
  return { hub, log }
}

const threw = (error: unknown) => {
  throw error
}
const yes = { enter: () => true }
const data = Buffer.from('{"data":1}')

t.test('joins with the first subscriber and leaves with the last', async (t) => {
  const { hub, log } = instant()
  const [one, two] = [member('1'), member('2')]
  await Promise.all([hub.subscribe('a', one, yes), hub.subscribe('a', two, yes)])
  hub.unsubscribe('a', one)
  hub.unsubscribe('a', one)
  t.same(log, ['+a'], 'a subscriber remains')
  hub.unsubscribe('a', two)
  t.same(log, ['+a', '-a'])
  await hub.subscribe('a', one, yes)
  t.same(log, ['+a', '-a', '+a'])
})

t.test('sends the same buffer to every subscriber', async (t) => {
  const { hub } = instant()
  const [one, two] = [member('1'), member('2')]
  await hub.subscribe('a', one, yes)
  await hub.subscribe('a', two, yes)
  hub.deliver('a', data)
  hub.deliver('unused', data)
  t.equal(one.got.length, 1)
  t.equal(one.got[0], two.got[0])
  t.equal(hub.deliveries, 2)
})

t.test('builds one frame for each codec', async (t) => {
  const { hub } = instant()
  const json = [member('1'), member('2')]
  const binary = [
    member('3', 'ada', 'shop', protobufCodec),
    member('4', 'ada', 'shop', protobufCodec),
  ]
  for (const each of [...json, ...binary]) {
    await hub.subscribe('a', each, yes)
  }
  hub.deliver('a', data)
  for (const [members, codec] of [
    [json, jsonCodec],
    [binary, protobufCodec],
  ] as const) {
    const [one, two] = members.map(({ got }) => got)
    t.same(one, [codec.frame([codec.publicationPush('a', data)])])
    t.equal(one?.[0], two?.[0])
  }
})

t.test(
  'keeps the channel open for a waiting subscriber when an earlier one gives up',
  async (t) => {
    const joined = settled()
    const left: string[] = []
    const hub = hubOf({ join: () => joined.promise, leave: (channel) => left.push(channel) })
    const two = member('2')
    const first = hub.subscribe('a', member('1'), { enter: () => false })
    const second = hub.subscribe('a', two, yes)
    joined.resolve()
    t.same(await Promise.all([first, second]), [false, true])
    t.same(left, [])
    hub.deliver('a', data)
    t.equal(two.got.length, 1)
  },
)

t.test('rejects waiting subscribers on a refusal, and asks again for the next', async (t) => {
  const joins: ReturnType<typeof settled<void>>[] = []
  const hub = hubOf({
    join: () => {
      const join = settled()
      joins.push(join)
      return join.promise
    },
    leave: () => t.fail('left a channel that was never joined'),
  })
  const waiting = [hub.subscribe('a', member('1'), yes), hub.subscribe('a', member('2'), yes)]
  joins[0]?.reject(new Error('away'))
  for (const each of waiting) {
    await t.rejects(each, new HubError('backplane_unavailable'))
  }
  const again = hub.subscribe('a', member('1'), yes)
  joins[1]?.resolve()
  t.equal(await again, true)
})

t.test('keeps exactly the wanted channels joined in random sequences of calls', async () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 3 }),
    channel: fc.constantFrom('a', 'b'),
    join: fc.boolean(),
    wanted: fc.boolean(),
    pause: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const joined = new Set<string>()
      const hub = hubOf({
        join: async (channel) => {
          joined.add(channel)
          await new Promise(setImmediate)
        },
        leave: (channel) => joined.delete(channel),
      })
      const members = [0, 1, 2, 3].map((id) => member(String(id)))
      const wanted = new Map<string, Set<number>>()
      const under: Promise<boolean>[] = []
      for (const { who, channel, join, wanted: still, pause } of steps) {
        const [one, set] = [members[who], wanted.get(channel) ?? new Set<number>()]
        wanted.set(channel, set)
        if (one === undefined) {
          continue
        }
        if (join) {
          under.push(
            hub.subscribe(channel, one, {
              enter: () => {
                if (still) {
                  set.add(who)
                }
                return still
              },
            }),
          )
        } else {
          hub.unsubscribe(channel, one)
          set.delete(who)
        }
        if (pause) {
          await new Promise(setImmediate)
        }
      }
      await Promise.all(under)
      for (const channel of ['a', 'b']) {
        const expected = wanted.get(channel)?.size ?? 0
        if (joined.has(channel) !== expected > 0) {
          return false
        }
        const before = hub.deliveries
        hub.deliver(channel, data)
        if (hub.deliveries - before !== expected) {
          return false
        }
      }
      return true
    }),
    { numRuns: 100 },
  )
})

t.test('applies disconnect to a user, one client, or one identity', async (t) => {
  const { hub } = instant()
  const members = [member('1'), member('2'), member('3', 'ada', 'other'), member('4', 'bob')]
  for (const each of members) {
    hub.add(each)
  }
  const close = (target: Omit<DisconnectOrder, 'type' | 'code' | 'reason'>) =>
    applyOrder(hub, { type: 'disconnect', code: 3503, reason: '', ...target }, threw)
  const ended = () => members.map((each) => each.ended.length)
  t.equal(close({ user: 'ada', client: '2' }), 1)
  t.same(ended(), [0, 1, 0, 0])
  t.equal(close({ user: 'ada', identity: 'other' }), 1)
  t.same(ended(), [0, 1, 1, 0])
  t.equal(close({ user: 'ada', session: '1', client: '2' }), 0)
  t.equal(close({ user: 'ada', whitelist: ['1', '2'] }), 1)
  t.same(ended(), [0, 1, 2, 0])
  t.equal(close({ user: 'ada' }), 3)
  t.equal(close({ user: 'unknown' }), 0)
})

t.test('applies subscribe orders to the same connections and reports failures', async (t) => {
  const { hub } = instant()
  const away = new Error('away')
  const asked: string[] = []
  for (const id of ['1', '2', '3']) {
    hub.add({
      ...member(id),
      subscribe: async ({ channel }) => {
        asked.push(`+${channel} ${id}`)
        if (id === '2') {
          throw away
        }
      },
      unsubscribe: (channel, { code }) => asked.push(`-${channel} ${id} ${code}`),
    })
  }
  const reported = new Promise((resolve) => {
    applyOrder(hub, { type: 'subscribe', user: 'ada', channel: 'a' }, resolve)
  })
  t.equal(await reported, away)
  applyOrder(hub, { type: 'unsubscribe', user: 'ada', channel: 'a', client: '3' }, threw)
  t.same(asked, ['+a 1', '+a 2', '+a 3', '-a 3 2000'])
})
