// Grants of HTTP callers that are held between their requests.
import type { Active } from '@portcullis/contracts/introspection'
import Fastify from 'fastify'
import t from 'tap'
import { HeldCallers } from '../../src/admission/held-callers.js'
import { Watch } from '../../src/grants/watch.js'
import { newStats } from '../../src/stats.js'
import { dial } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

/** Requests `/whoami` with a token; returns the status. */
async function call(http: string, token: string): Promise<number> {
  const response = await fetch(`${http}/whoami`, { headers: { authorization: `Bearer ${token}` } })
  await response.arrayBuffer()
  return response.status
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

t.test('asks auth once for several requests with one token', async (t) => {
  const auth = await scriptedAuth(t)
  const grants = new Set<object>()
  const { app, http } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.addHook('preHandler', async (request) => {
        grants.add(request.grant)
      })
    },
  })
  const token = auth.issue()
  for (let request = 0; request < 5; request++) {
    t.equal(await call(http, token), 200)
  }
  t.equal(auth.batches.length, 1)
  t.match(app.gate.stats, { admitted: 5, callersHeld: 1, callersReused: 4 })
  t.equal(grants.size, 5, 'each request has a grant of its own')
})

t.test('asks auth at every request when callers are not held', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http } = await guardedApp(t, { authUrl: auth.url, holdCallersMs: 0 })
  const token = auth.issue()
  t.equal(await call(http, token), 200)
  t.equal(await call(http, token), 200)
  t.equal(auth.batches.length, 2)
  t.match(app.gate.stats, { callersHeld: 0, callersReused: 0 })
})

t.test('asks auth for another text of the same token', async (t) => {
  const auth = await scriptedAuth(t)
  const { http } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  t.equal(await call(http, token), 200)
  t.equal(await call(http, `${token}=`), 401)
})

t.test('a revocation ends a held grant', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  t.equal(await call(http, token), 200)
  const { jti } = auth.of(token)
  auth.active.delete(token)
  const ack = await auth.push(auth.event({ jti }))
  t.match(app.gate.stats, { callersHeld: 0, live: 0 })
  t.equal(ack.revocations[0]?.connectionsClosed, 0, 'a held grant is not a connection')
  t.equal(await call(http, token), 401)
  t.equal(auth.batches.length, 2)
})

t.test('an upgrade asks auth although the grant of its token is held', async (t) => {
  const auth = await scriptedAuth(t)
  const { http, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  t.equal(await call(http, token), 200)
  await dial(`${ws}/echo`, { token })
  t.strictSame(auth.batches, [[token], [token]])
})

t.test('a held grant admits nothing without a lease, and survives its return', async (t) => {
  const auth = await scriptedAuth(t)
  auth.leaseMs = 300
  const { log, http } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  t.equal(await call(http, token), 200)
  auth.leaseMs = undefined
  await log.line('the lease is out')
  t.equal(await call(http, token), 503)
  const from = log.lines.length
  auth.leaseMs = 60_000
  await log.line('the lease is held', from)
  t.equal(await call(http, token), 200)
  t.equal(auth.batches.length, 1)
})

t.test('introspects held grants again when the feed has skipped events', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, log, http } = await guardedApp(t, { authUrl: auth.url })
  const [good, revoked] = [auth.issue(), auth.issue()]
  t.equal(await call(http, good), 200)
  t.equal(await call(http, revoked), 200)
  auth.active.delete(revoked)
  auth.onHello = () => ({ type: 'welcome', cursor: auth.cursor, resumed: false })
  let answer: () => void = () => undefined
  const told = new Promise<void>((resolve) => {
    answer = resolve
  })
  auth.onIntrospect = async (honest) => {
    await told
    return honest()
  }
  const asked = auth.next('introspect')
  const from = log.lines.length
  auth.feed?.terminate()
  t.strictSame(await asked, [good, revoked])
  t.equal(await call(http, good), 503, 'not before the answer')
  answer()
  await log.line('feed is in sync', from)
  t.equal(app.gate.stats.callersHeld, 1)
  t.equal(await call(http, good), 200)
  t.equal(auth.batches.length, 3, 'auth was not asked for it again')
  t.equal(await call(http, revoked), 401)
})

t.test('drops a held grant after its time', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http } = await guardedApp(t, { authUrl: auth.url, holdCallersMs: 1 })
  t.equal(await call(http, auth.issue()), 200)
  while (app.gate.stats.callersHeld > 0 || app.gate.stats.live > 0) {
    await turn()
  }
})

t.test('says bye although grants are held', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http } = await guardedApp(t, { authUrl: auth.url })
  t.equal(await call(http, auth.issue()), 200)
  const bye = auth.next('bye')
  await app.close()
  await bye
  t.equal(app.gate.stats.live, 0)
})

t.test('holds a bounded number of grants, and drops the oldest', async (t) => {
  const stats = newStats()
  const watch = new Watch(Fastify().log, stats, { held: true, leftMs: 1000 })
  watch.synced()
  const asked: string[] = []
  const introspector = {
    introspect: async (token: string) => {
      asked.push(token)
      return watch.register(active(token), token, watch.begin())
    },
  }
  const callers = new HeldCallers({ introspector, watch, stats, holdMs: 60_000 })
  const most = 10_000
  for (let caller = 0; caller <= most; caller++) {
    await callers.grantOf(`token-${caller}`)
  }
  t.equal(stats.callersHeld, most)
  asked.length = 0
  await callers.grantOf('token-1')
  await callers.grantOf('token-0')
  t.strictSame(asked, ['token-0'])
  callers.close()
  watch.close()
  t.equal(stats.callersHeld, 0)
})

function active(jti: string): Active {
  return {
    active: true,
    jti,
    client_id: 'shop',
    sub: 'shop',
    scope: '',
    iat: 0,
    exp: 4_000_000_000,
    iss: '',
    aud: '',
    token_type: 'Bearer',
    issued_us: 1,
    expires_in_ms: 3_600_000,
    labels: [],
    parents: [],
  }
}
