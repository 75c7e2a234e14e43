// This process as a part of receipts: when it acknowledges, and when it may act.
import { defined } from '@portcullis/contracts/defined'
import type { Active } from '@portcullis/contracts/introspection'
import type { RevocationEvent } from '@portcullis/contracts/revocations'
import { type MachineClocks, newStats, Watch } from '@portcullis/gate/grants'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { OwnPart } from '../../../src/feed/own-part/own-part.js'
import type { OwnPartRegistry } from '../../../src/feed/own-part/registry.js'

const ttlMs = 60_000
const active: Active = {
  active: true,
  jti: 'a',
  client_id: 'shop',
  sub: 'shop',
  scope: 'tokens:issue',
  iat: 0,
  exp: 4_000_000_000,
  iss: '',
  aud: '',
  token_type: 'Bearer',
  issued_us: 5,
  expires_in_ms: 3_600_000,
  labels: [],
  parents: [],
}
const event = (jti: string): RevocationEvent => ({
  id: `0-${jti.padEnd(22, '_')}`,
  at: 0,
  selector: { jti },
  cutoffUs: 10,
})

type Renewal = Awaited<ReturnType<OwnPartRegistry['renew']>>

/** A part with two partitions, on a registry that answers as the test says. */
function scene(t: Test, cursor = '1-10,0-0', clocks?: MachineClocks) {
  const acks: string[] = []
  const renewals: { partition: number; askedAt: unknown; answer: (renewal: Renewal) => void }[] = []
  let wake = (): void => undefined
  const called = (): void => wake()
  const registry: OwnPartRegistry = {
    partitions: 2,
    join: async (partition) => {
      acks.push(`join ${partition}`)
      called()
    },
    renew: (partition, askedAt) =>
      new Promise((answer) => {
        renewals.push({ partition, askedAt, answer })
        called()
      }),
    ack: async (partition, appliedUs) => {
      acks.push(`ack ${partition} ${appliedUs}`)
      called()
    },
    leave: async () => {
      acks.push('leave')
    },
  }
  const watch = new Watch(Fastify().log, newStats(), { held: true, leftMs: 0 })
  const part = new OwnPart({
    registry,
    watch,
    cursor,
    ttlMs,
    ...defined({ clocks }),
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(async () => {
    for (const { answer } of renewals) {
      answer({ counted: true, end: '0-0', run: 'r' })
    }
    await part.close()
    watch.close()
  })
  return {
    acks,
    renewals,
    watch,
    part,
    /** Resolves when `condition` holds; checked after each call of the registry. */
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) {
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    /** Registers and holds the grant of a caller. */
    caller() {
      watch.synced()
      const mark = watch.begin()
      const grant = watch.register(active, 'token', mark)
      watch.finish(mark)
      watch.hold(grant, () => undefined)
      return grant
    },
  }
}

t.test(
  'acknowledges each partition that has moved, at once without effects in flight',
  async (t) => {
    const { part, acks, until } = scene(t)
    part.onEvents({ cursor: '2-20,0-0', revocations: [event('a')] })
    await until(() => acks.includes('ack 0 20'))
    part.onEvents({ cursor: '2-20,1-30', revocations: [event('b')] })
    await until(() => acks.includes('ack 1 30'))
    t.equal(
      acks.filter((text) => text.startsWith('ack 0')).at(-1),
      'ack 0 20',
      'a partition without events is not acknowledged again',
    )
  },
)

t.test('acknowledges after the effects of the callers that a revocation covers', async (t) => {
  const { part, acks, watch, caller, until } = scene(t)
  const lease = { leftMs: 1000 }
  let answer = (): void => undefined
  const work = () => new Promise<void>((resolve) => (answer = resolve))
  const effect = watch.effect(caller(), work, () => true, lease)
  part.onEvents({ cursor: '2-20,0-0', revocations: [event('a')] })
  part.onEvents({ cursor: '3-25,0-0', revocations: [event('b')] })
  await until(() => acks.length > 0)
  t.same(new Set(acks), new Set(['ack 0 10', 'ack 1 0']), 'earlier positions only')
  answer()
  await effect
  await until(() => acks.includes('ack 0 25'))
})

t.test(
  'holds the lease of a partition once its renewal counts, from before it was sent',
  async (t) => {
    const { part, renewals, until } = scene(t)
    const before = performance.now()
    const started = part.start(60_000)
    await until(() => renewals.length === 2)
    const after = performance.now()
    t.match(part.problem, /no lease/)
    for (const { answer, partition } of renewals) {
      answer({ counted: true, end: partition === 0 ? '1-10' : '0-0', run: 'r' })
    }
    await started
    t.equal(part.problem, undefined)
    const until0 = performance.now() + part.lease(0).leftMs
    t.ok(
      until0 >= before + ttlMs - 5 && until0 <= after + ttlMs + 5,
      'counted from before the renewal was sent',
    )
    t.same(part.lease(7), { held: false, leftMs: 0 }, 'an unknown partition has no lease')
  },
)

t.test('a lease after a fence waits for the events that came before it', async (t) => {
  const { part, renewals, until } = scene(t)
  const started = part.start(60_000)
  await until(() => renewals.length === 2)
  renewals[1]?.answer({ counted: true, end: '0-0', run: 'r' })
  renewals[0]?.answer({ counted: true, end: '2-20', run: 'r' })
  await new Promise(setImmediate)
  t.notOk(part.lease(0).held, 'an earlier event is still missing')
  part.onEvents({ cursor: '2-20,0-0', revocations: [event('b')] })
  await started
  t.ok(part.lease(0).held)
})

t.test('a renewal that does not count is repeated after the acknowledgement', async (t) => {
  const { part, acks, renewals, until } = scene(t)
  const started = part.start(60_000)
  await until(() => renewals.length === 2)
  renewals[1]?.answer({ counted: true, end: '0-0', run: 'r' })
  renewals[0]?.answer({ counted: false, end: '2-20', run: 'r' })
  part.onEvents({ cursor: '2-20,0-0', revocations: [event('b')] })
  await until(() => renewals.length === 3)
  t.ok(acks.includes('ack 0 20'))
  t.same(
    renewals[2]?.askedAt,
    { us: 20, run: 'r' },
    'with the end of the feed at the first attempt',
  )
  renewals[2]?.answer('not_joined')
  await until(() => renewals.length === 4)
  t.equal(
    acks.filter((text) => text === 'join 0').length,
    2,
    'joins again when the registry does not know it',
  )
  renewals[3]?.answer({ counted: true, end: '2-20', run: 'r' })
  await started
})

t.test('a gap in the feed ends every grant, and is acknowledged again', async (t) => {
  const { part, acks, caller, until } = scene(t)
  part.onEvents({ cursor: '5-50,0-0', revocations: [event('b')] })
  await until(() => acks.includes('ack 0 50'))
  const grant = caller()
  part.onLost('2-20,0-0')
  t.equal(grant.ended, 'revoked')
  await until(() => acks.includes('ack 0 20'))
  t.ok(caller(), 'later callers are admitted')
})

t.test('does not leave the receipts with an effect in flight', async (t) => {
  const { part, acks, watch, caller } = scene(t)
  const effect = watch.effect(
    caller(),
    () => Promise.reject(new Error('lost')),
    () => false,
    {
      leftMs: 50,
    },
  )
  await t.rejects(effect)
  await part.close()
  t.notOk(acks.includes('leave'), 'receipts wait until the lease is out')
})

t.test('a suspend of the machine ends every lease', async (t) => {
  let monotonic = 5000
  let slept = 0
  const { part, renewals, until } = scene(t, '1-10,0-0', {
    monotonic: () => monotonic,
    wall: () => 1e12 + monotonic + slept,
    boot: () => monotonic + slept,
  })
  const started = part.start(ttlMs)
  await until(() => renewals.length === 2)
  renewals[0]?.answer({ counted: true, end: '1-10', run: 'r' })
  await new Promise(setImmediate)
  t.equal(part.lease(0).held, true)
  monotonic += 5
  slept += 30
  t.equal(part.lease(0).held, false, 'though the monotonic clock shows most of it left')
  renewals[1]?.answer({ counted: true, end: '0-0', run: 'r' })
  await new Promise(setImmediate)
  t.equal(part.lease(1).held, false, 'its renewal was sent before the suspend')
  await part.close()
  await started
})
