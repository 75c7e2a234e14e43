import { defined } from '@portcullis/contracts/defined'
import t from 'tap'
import { dial, refused } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

t.test('form-encodes the identity and its code before joining them', async (t) => {
  const auth = await scriptedAuth(t)
  const asked = auth.next('token')
  await guardedApp(t, {
    authUrl: auth.url,
    credentials: { identity: 'shop:eu/1', registrationCode: 'a:b c%+ä' },
  })
  t.equal(await asked, 'grant_type=client_credentials&scope=introspect+feed')
  const [scheme, encoded = ''] = auth.authorizations[0]?.split(' ') ?? []
  t.equal(scheme, 'Basic')
  t.equal(
    Buffer.from(encoded, 'base64').toString(),
    'shop%3Aeu%2F1:a%3Ab+c%25%2B%C3%A4',
    'RFC 6749 §2.3.1',
  )
})

t.test('fetches one new token after a 401, once', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue()
  let refusals = 1
  auth.onIntrospect = (honest, reply) => (refusals-- > 0 ? reply.code(401).send({}) : honest())
  await app.gate.introspect(token)
  t.equal(auth.authorizations.length, 2, 'one for the start, one for the 401')

  refusals = 100
  await t.rejects(app.gate.introspect(token), { code: 'auth_unavailable' })
  t.equal(auth.authorizations.length, 3, 'a second 401 is final')
})

t.test('renews its token before it expires', async (t) => {
  const auth = await scriptedAuth(t)
  auth.onToken = (reply) => reply.send(auth.tokenAnswer({ expires_in: 1 }))
  const { app } = await guardedApp(t, { authUrl: auth.url })
  await auth.next('token')
  t.equal(app.gate.ready(), undefined, 'without a gap')
})

t.test('reports a terminal answer, and admits nothing', async (t) => {
  for (const [status, error, why] of [
    [401, 'invalid_client', 'unknown identity or wrong registration code'],
    [400, 'unauthorized_client', 'the identity is suspended'],
    [400, 'invalid_scope', undefined],
  ] as const) {
    const auth = await scriptedAuth(t)
    auth.onToken = (reply) =>
      reply.code(status).send({ error, ...defined({ error_description: why }) })
    const asked = auth.next('token')
    const { app, log, ws } = await guardedApp(t, {
      authUrl: auth.url,
      credentials: { identity: 'shop', registrationCode: 'super-secret' },
    })
    await asked
    await log.line(error)
    t.match(app.gate.ready(), new RegExp(`refuses this app's identity: ${error}`))
    t.equal((await refused(`${ws}/echo`, { token: 'x' })).status, 503)
    t.equal(auth.authorizations.length, 1, 'no immediate retry')
    t.notOk(log.lines.join('').includes('super-secret'), 'the code is not logged')
    await app.close()
  }
})

t.test('reports a missing scope of its own token', async (t) => {
  const auth = await scriptedAuth(t)
  auth.onToken = (reply) => reply.send(auth.tokenAnswer({ scope: 'introspect' }))
  const { app, log } = await guardedApp(t, { authUrl: auth.url })
  await log.line('lacks the scope feed')
  t.match(app.gate.ready(), /lacks the scope feed/)
})

t.test('answers 503 while auth is down, and recovers with auth', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, log, http, ws } = await guardedApp(t, { authUrl: auth.url, timeoutMs: 300 })
  const token = auth.issue()
  const peer = await dial(`${ws}/echo`, { token })
  // Auth accepts connections and does not answer.
  auth.onIntrospect = (_honest, reply) => {
    reply.hijack()
  }
  const stalled = await refused(`${ws}/echo`, { token })
  t.equal(stalled.status, 503)
  t.match(stalled.headers['retry-after'], /^[1-4]$/)
  t.notOk('www-authenticate' in stalled.headers)
  t.match(JSON.parse(stalled.body), { code: 'auth_unavailable', detail: 'authentication failed' })
  t.notMatch(stalled.body, auth.url, 'the answer does not name auth')

  const from = log.lines.length
  auth.onToken = (reply) => reply.code(503).send({ error: 'temporarily_unavailable' })
  auth.feed?.close(4401)
  await log.line('answers 503 to /oauth/token', from)
  const response = await fetch(`${http}/whoami`, { headers: { authorization: `Bearer ${token}` } })
  t.equal(response.status, 503)
  t.type(app.gate.ready(), 'string')

  auth.onToken = undefined
  auth.onIntrospect = (honest) => honest()
  await log.line('feed is in sync', from)
  t.equal(await peer.ask('x'), 'ada: x', 'the open socket stays open')
  await dial(`${ws}/echo`, { token })
  t.equal(app.gate.ready(), undefined)
})

t.test('starts without auth, and is not ready', async (t) => {
  const { app } = await guardedApp(t, { authUrl: 'http://127.0.0.1:1' })
  t.match(app.gate.ready(), /cannot be reached/)
  await t.rejects(app.gate.introspect('x'), { code: 'auth_unavailable' })
})

t.test('logs no token and no registration code', async (t) => {
  const auth = await scriptedAuth(t)
  const { log, ws, http } = await guardedApp(t, {
    authUrl: auth.url,
    credentials: { identity: 'shop', registrationCode: 'super-secret' },
  })
  const token = auth.issue()
  const peer = await dial(`${ws}/echo`, { protocols: ['portcullis', `bearer.${token}`] })
  await fetch(`${http}/whoami`, { headers: { authorization: `Bearer ${token}` } })
  auth.onIntrospect = (_honest, reply) => reply.code(500).send({})
  await refused(`${ws}/echo`, { token })
  await auth.push(auth.event({ identity: 'shop' }))
  await peer.closed
  const written = log.lines.join('')
  t.notOk(written.includes(token))
  t.notOk(written.includes('super-secret'))
  t.notOk(written.includes('own-'), "the gate's own token")
})
