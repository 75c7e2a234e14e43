// Copies of a watched grant, for further requests with its token.
import type { Active } from '@portcullis/contracts/introspection'
import Fastify from 'fastify'
import t from 'tap'
import type { LiveGrant } from '../../src/grants/grant.js'
import { Watch } from '../../src/grants/watch.js'
import { newStats } from '../../src/stats.js'

const active: Active = {
  active: true,
  jti: '0-token',
  client_id: 'shop',
  sub: 'ada',
  scope: 'publish:news subscribe:news',
  iat: 0,
  exp: 2_000_000_000,
  iss: '',
  aud: '',
  token_type: 'Bearer',
  issued_us: 1,
  expires_in_ms: 3_600_000,
  labels: ['eu'],
  parents: ['0-parent'],
}

/** Returns a watch in sync, its lease, and a watched grant that is in use. */
function watched(): { watch: Watch; lease: { held: boolean; leftMs: number }; grant: LiveGrant } {
  const lease = { held: true, leftMs: 1000 }
  const watch = new Watch(Fastify().log, newStats(), lease)
  watch.synced()
  const grant = watch.register(active, 'text', watch.begin())
  watch.hold(grant, () => undefined)
  return { watch, lease, grant }
}

t.test('a copy has the claims of its grant, and ends on its own', async (t) => {
  const { watch, grant } = watched()
  const copy = watch.copy(grant)
  t.not(copy, grant)
  t.same({ ...copy }, { ...grant })
  t.equal(copy.token, 'text')
  t.equal(watch.size, 2)
  watch.hold(copy, () => undefined)()
  t.equal(watch.size, 1, 'released')
  t.equal(grant.ended, undefined)
})

t.test('a revocation ends a copy together with its grant', async (t) => {
  const { watch, grant } = watched()
  const copy = watch.copy(grant)
  watch.apply([{ id: '0-x', at: 0, selector: { identity: 'shop', label: 'eu' }, cutoffUs: 1 }])
  t.equal(grant.ended, 'revoked')
  t.equal(copy.ended, 'revoked')
})

t.test('refuses to copy an ended grant', async (t) => {
  const { watch, grant } = watched()
  watch.apply([{ id: '0-x', at: 0, selector: { jti: '0-token' }, cutoffUs: 1 }])
  t.throws(() => watch.copy(grant), { code: 'invalid_token' })
})

t.test('refuses to copy a grant without a lease', async (t) => {
  const { watch, lease, grant } = watched()
  lease.held = false
  t.throws(() => watch.copy(grant), { code: 'auth_unavailable' })
  lease.held = true
  watch.copy(grant)
})

t.test('refuses to copy a grant while the feed is not in sync', async (t) => {
  const { watch, grant } = watched()
  watch.interrupted()
  t.throws(() => watch.copy(grant), { code: 'auth_unavailable' })
  watch.synced()
  watch.copy(grant)
})

t.test('refuses to copy a grant whose token has expired', async (t) => {
  const { watch, grant } = watched()
  const later = Date.now() + active.expires_in_ms + 1
  t.intercept(Date, 'now', { value: () => later })
  t.throws(() => watch.copy(grant), { code: 'invalid_token' })
})
