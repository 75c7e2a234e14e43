// Callers between their requests: when the registry is asked about them again.
import type { Active } from '@portcullis/contracts/introspection'
import { newStats, Watch } from '@portcullis/gate/grants'
import Fastify from 'fastify'
import t from 'tap'
import { HeldCallers } from '../../src/callers/held-callers.js'

const { log } = Fastify()

/** Held callers with a watch, and a clock that the test sets. */
function scene(maxHeld?: number) {
  const watch = new Watch(log, newStats(), { held: true, leftMs: 1000 })
  watch.synced()
  const clock = { now: 0 }
  const held = new HeldCallers({
    watch,
    maxHeldMs: 1000,
    now: () => clock.now,
    ...(maxHeld === undefined ? {} : { maxHeld }),
  })
  const hold = (token: string, exp = 4_000_000_000) => {
    const claims = {
      jti: `0-${token}`,
      client_id: 'shop',
      sub: 'shop',
      scope: 'introspect',
      iat: 0,
      exp,
      iss: '',
      aud: '',
    }
    const active: Active = {
      ...claims,
      active: true,
      token_type: 'Bearer',
      issued_us: 5,
      expires_in_ms: Math.max(1, exp * 1000 - Date.now()),
      labels: [],
      parents: [],
    }
    const mark = watch.begin()
    const grant = watch.register(active, token, mark)
    watch.finish(mark)
    const record = {
      issuedUs: 5,
      subject: 'shop',
      scope: 'introspect',
      labels: [],
      parents: [],
      expiresAt: grant.expiresAt,
      leftMs: active.expires_in_ms,
    }
    const caller = { claims, record, grant }
    held.hold(token, caller, clock.now)
    return caller
  }
  const revoke = (jti: string) =>
    watch.apply([{ id: '0-x', at: 0, selector: { jti }, cutoffUs: 9 }])
  return { watch, clock, held, hold, revoke }
}

t.test('finds a held caller by its token, and no other', async (t) => {
  const { held, hold } = scene()
  const caller = hold('a')
  t.equal(held.find('a'), caller)
  t.equal(held.find('A'), undefined)
})

t.test('drops a caller whose token is revoked', async (t) => {
  const { held, hold, revoke } = scene()
  hold('a')
  hold('b')
  const [applied] = revoke('0-a')
  t.equal(held.find('a'), undefined)
  t.ok(held.find('b'))
  t.equal(applied?.connectionsClosed, 0, 'receipts do not count it as a connection')
})

t.test('drops every caller when all grants end', async (t) => {
  const { watch, held, hold } = scene()
  hold('a')
  hold('b')
  watch.endAll()
  t.equal(held.size, 0)
})

t.test('does not find a caller whose token has expired', async (t) => {
  const { watch, held, hold } = scene()
  const soon = Math.floor(Date.now() / 1000) + 1
  hold('a', soon)
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  Date.now = () => soon * 1000
  t.equal(held.find('a'), undefined, 'before the watch has ended it')
  t.equal(watch.size, 0)
})

t.test('asks about a caller again after its time', async (t) => {
  const { watch, clock, held, hold } = scene()
  hold('a')
  clock.now = 999
  t.ok(held.find('a'))
  clock.now = 1000
  t.equal(held.find('a'), undefined)
  t.equal(watch.size, 0, 'the watch no longer has it')
})

t.test('keeps the grant of a running request after the time of its caller', async (t) => {
  const { watch, clock, held, hold } = scene()
  const { grant } = hold('a')
  let ended = ''
  watch.hold(grant, (reason) => {
    ended = reason
  })
  clock.now = 1000
  t.equal(held.find('a'), undefined)
  t.equal(watch.size, 1)
  watch.endAll()
  t.equal(ended, 'revoked')
})

t.test('holds the later of two grants of a token', async (t) => {
  const { watch, held, hold } = scene()
  hold('a')
  const later = hold('a')
  t.equal(held.find('a'), later)
  t.equal(watch.size, 1)
})

t.test('holds a bounded number of callers, the ones asked about last', async (t) => {
  const { watch, held, hold } = scene(2)
  for (const token of ['a', 'b', 'c']) {
    hold(token)
  }
  t.equal(held.find('a'), undefined)
  t.ok(held.find('b'))
  t.ok(held.find('c'))
  t.equal(watch.size, 2)
})

t.test('drops callers whose time is over when it holds another', async (t) => {
  const { clock, held, hold } = scene()
  hold('a')
  hold('b')
  clock.now = 1500
  hold('c')
  t.equal(held.size, 1)
})
