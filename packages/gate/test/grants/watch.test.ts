import type { Active } from '@portcullis/contracts/introspection'
import { coversToken, type RevocationEvent, type Selector } from '@portcullis/contracts/revocations'
import fc from 'fast-check'
import Fastify from 'fastify'
import t from 'tap'
import { Watch } from '../../src/grants/watch.js'
import { newStats } from '../../src/stats.js'

const { log } = Fastify()
const lease = { held: true, leftMs: 1000 }
const names = fc.constantFrom('a', 'b', 'c')
const jtis = fc.constantFrom('1', '2', '3', '4')
const selectors: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({ jti: jtis }),
  fc.record({ jti: jtis, cascade: fc.constant(true as const) }),
  fc.record({ identity: names }),
  fc.record({ identity: names, subject: names }),
  fc.record({ identity: names, label: names }),
  fc.constant({ all: true as const }),
)
const events: fc.Arbitrary<RevocationEvent> = fc.record({
  id: fc.constant('0-x'),
  at: fc.constant(0),
  selector: selectors,
  cutoffUs: fc.integer({ min: 0, max: 9 }),
})
const tokens: fc.Arbitrary<Active> = fc.record({
  active: fc.constant(true as const),
  jti: jtis,
  client_id: names,
  sub: names,
  scope: fc.constant('subscribe:news'),
  iat: fc.constant(0),
  exp: fc.constant(4_000_000_000),
  iss: fc.constant(''),
  aud: fc.constant(''),
  token_type: fc.constant('Bearer' as const),
  issued_us: fc.integer({ min: 0, max: 9 }),
  expires_in_ms: fc.constant(3_600_000),
  labels: fc.array(names, { maxLength: 2 }),
  parents: fc.uniqueArray(jtis, { maxLength: 3 }),
})
/** Begin an introspection; answer the oldest one; apply revocations; release the oldest holder. */
const steps = fc.array(
  fc.oneof(
    fc.record({ ask: tokens }),
    fc.constant('answer' as const),
    fc.record({ revoke: fc.array(events, { maxLength: 3 }) }),
    fc.constant('release' as const),
  ),
  { maxLength: 60 },
)

t.test('a revocation ends exactly the grants that it covers, in any order of steps', async (t) => {
  fc.assert(
    fc.property(steps, (steps) => {
      const watch = new Watch(log, newStats(), lease)
      watch.synced()
      const asked: { token: Active; mark: ReturnType<Watch['begin']>; revoked: boolean }[] = []
      const held: { token: Active; ended: boolean; release: () => void }[] = []
      const covered = (event: RevocationEvent, token: Active): boolean =>
        coversToken(event, {
          jti: token.jti,
          identity: token.client_id,
          subject: token.sub,
          labels: token.labels,
          parents: token.parents,
          issuedUs: token.issued_us,
        })
      for (const step of steps) {
        if (step === 'answer') {
          const question = asked.shift()
          if (question === undefined) {
            continue
          }
          const { token, mark, revoked } = question
          try {
            const grant = watch.register(token, 'token', mark)
            if (revoked) {
              throw new Error('registered a token that was revoked meanwhile')
            }
            const entry = { token, ended: false, release: (): void => undefined }
            entry.release = watch.hold(grant, () => {
              entry.ended = true
            })
            held.push(entry)
          } catch (error) {
            if (!revoked) {
              throw error
            }
          } finally {
            watch.finish(mark)
          }
        } else if (step === 'release') {
          held.shift()?.release()
        } else if ('ask' in step) {
          asked.push({ token: step.ask, mark: watch.begin(), revoked: false })
        } else {
          for (const question of asked) {
            question.revoked ||= step.revoke.some((event) => covered(event, question.token))
          }
          const live = held.filter(({ ended }) => !ended)
          const due = live.filter(({ token }) => step.revoke.some((event) => covered(event, token)))
          const closed = watch.apply(step.revoke)
          const total = closed.reduce((sum, { connectionsClosed }) => sum + connectionsClosed, 0)
          if (total !== due.length) {
            throw new Error(`${total} closed, ${due.length} covered`)
          }
          for (const entry of live) {
            if (entry.ended !== due.includes(entry)) {
              throw new Error('ended the wrong one')
            }
          }
        }
        if (watch.size !== held.filter(({ ended }) => !ended).length) {
          throw new Error('size')
        }
        if (asked.length === 0 && watch.kept > 0) {
          throw new Error('kept events without an introspection in flight')
        }
      }
      watch.close()
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('a grant without a holder expires after ten seconds', async (t) => {
  let now = Date.now()
  const watch = new Watch(log, newStats(), lease, { wall: () => now, monotonic: () => now })
  t.teardown(() => watch.close())
  watch.synced()
  const [token] = fc.sample(tokens, 1)
  if (token === undefined) {
    throw new Error('no sample')
  }
  const mark = watch.begin()
  const grant = watch.register(token, 'token', mark)
  const kept = watch.register(token, 'token', mark)
  watch.finish(mark)
  watch.hold(kept, () => t.fail('a held grant ended'))
  now += 11_000
  watch.expire()
  t.equal(grant.ended, 'expired')
  t.equal(kept.ended, undefined)
  t.equal(watch.size, 1)
})

t.test('a token lives as long as auth says, whatever this clock makes of its exp', async (t) => {
  const watch = new Watch(log, newStats(), lease)
  watch.synced()
  const [token] = fc.sample(tokens, 1)
  const register = (exp: number, expires_in_ms: number) => {
    const mark = watch.begin()
    const began = Date.now()
    const grant = watch.register({ ...(token as Active), exp, expires_in_ms }, 'x', mark)
    watch.finish(mark)
    return { grant, began }
  }
  const now = Math.floor(Date.now() / 1000)
  for (const exp of [now - 7200, now + 7200]) {
    const { grant, began } = register(exp, 60_000)
    t.equal(grant.ended, undefined)
    const aheadOf = grant.expiresAt - (began + 60_000)
    t.ok(Math.abs(aheadOf) < 1000, `off by ${aheadOf} ms`)
    const registry = exp * 1000 - 60_000
    t.ok(Math.abs(watch.registryTime() - registry) < 1000, "knows the registry's time")
  }
})

t.test('the time until the expiry counts from before the question', async (t) => {
  const watch = new Watch(log, newStats(), lease)
  watch.synced()
  const [token] = fc.sample(tokens, 1)
  const mark = watch.begin()
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  Date.now = () => now() + 5000
  const late = { ...(token as Active), expires_in_ms: 4000 }
  t.throws(() => watch.register(late, 'x', mark), { code: 'invalid_token' })
})
