import { connect } from 'node:net'
import t from 'tap'
import { dial, refused } from '../fixtures/dial.js'
import { guardedApp } from '../fixtures/guarded-app.js'
import { scriptedAuth } from '../fixtures/scripted-auth.js'

t.test('an active token opens a socket and gets an answer, each with its grant', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http, ws } = await guardedApp(t, { authUrl: auth.url })
  const token = auth.issue({ sub: 'ada', labels: ['device:phone'] })

  const peer = await dial(`${ws}/echo`, { token })
  t.equal(await peer.ask('hello'), 'ada: hello')

  const response = await fetch(`${http}/whoami`, { headers: { authorization: `Bearer ${token}` } })
  const { jti, client_id, scope, issued_us, exp } = auth.of(token)
  const { expiresAt, ...grant } = (await response.json()) as { expiresAt: number }
  t.ok(Math.abs(expiresAt - exp * 1000) < 5000, 'about when the token expires')
  t.strictSame(grant, {
    jti,
    identity: client_id,
    subject: 'ada',
    scopes: [scope],
    labels: ['device:phone'],
    parents: [],
    issuedUs: issued_us,
  })
  t.equal(app.gate.stats.admitted, 2)
})

t.test('accepts a token offered as a subprotocol, and never echoes it', async (t) => {
  const auth = await scriptedAuth(t)
  const { ws } = await guardedApp(t, { authUrl: auth.url })
  for (const order of ['portcullis first', 'token first']) {
    const token = auth.issue()
    const offered = ['portcullis', `bearer.${token}`]
    if (order === 'token first') {
      offered.reverse()
    }
    const peer = await dial(`${ws}/echo`, { protocols: offered })
    t.equal(peer.socket.protocol, 'portcullis', order)
  }
  const token = auth.issue()
  const without = await refused(`${ws}/echo`, { protocols: [`bearer.${token}`] })
  t.equal(without.status, 400, 'portcullis is not offered')
  t.notOk(JSON.stringify(without).includes(token), 'the refusal does not show the token')
})

t.test('refuses with the status and challenge of RFC 6750', async (t) => {
  const auth = await scriptedAuth(t)
  const { app, http, ws } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get(
        '/publish',
        { websocket: true, preValidation: app.admit({ scope: 'publish:news' }) },
        () => undefined,
      )
      app.get('/publish-http', { preValidation: app.admit({ scope: 'publish:news' }) }, () => 'ok')
    },
  })
  const good = auth.issue()
  const header = (token: string): { headers: Record<string, string> } => ({
    headers: { authorization: token },
  })
  const cases: [string, string, object, number, string | undefined, string][] = [
    ['no token', '/echo', {}, 401, 'Bearer', 'missing_token'],
    ['another scheme', '/echo', header('Basic YTpi'), 401, 'Bearer', 'missing_token'],
    [
      'unknown token',
      '/echo',
      { token: 'x' },
      401,
      'Bearer error="invalid_token"',
      'invalid_token',
    ],
    [
      'malformed credentials',
      '/echo',
      header('Bearer a b'),
      400,
      'Bearer error="invalid_request"',
      'invalid_request',
    ],
    [
      'token too long',
      '/echo',
      { token: 'x'.repeat(4097) },
      401,
      'Bearer error="invalid_token"',
      'invalid_token',
    ],
    [
      'two tokens',
      '/echo',
      { token: good, protocols: ['portcullis', `bearer.${good}`] },
      400,
      'Bearer error="invalid_request"',
      'invalid_request',
    ],
    [
      'two offered tokens',
      '/echo',
      { protocols: ['portcullis', 'bearer.a', 'bearer.b'] },
      400,
      'Bearer error="invalid_request"',
      'invalid_request',
    ],
    [
      'token in the query, not switched on',
      `/echo?access_token=${good}`,
      {},
      401,
      'Bearer',
      'missing_token',
    ],
    [
      'missing scope',
      '/publish',
      { token: good },
      403,
      'Bearer error="insufficient_scope", scope="publish:news"',
      'insufficient_scope',
    ],
  ]
  for (const [name, path, options, status, challenge, code] of cases) {
    const answer = await refused(ws + path, options)
    t.equal(answer.status, status, name)
    t.equal(answer.headers['www-authenticate'], challenge, name)
    t.equal(answer.headers['connection'], 'close', name)
    t.match(answer.headers['content-type'], /^application\/problem\+json/, name)
    const body = JSON.parse(answer.body)
    t.equal(body.code, code, name)
    t.match(body.detail, /^authentication failed/, name)
  }
  const response = await fetch(`${http}/publish-http`, header(`Bearer ${good}`))
  t.equal(response.status, 403, 'HTTP routes are refused too')
  const twice = await raw(`${http}/whoami`, [
    `Authorization: Bearer ${good}`,
    'Authorization: Bearer x',
  ])
  t.match(twice, /^HTTP\/1.1 400 /, 'two Authorization headers')
  t.equal(app.gate.stats.refused.invalid_request, 4)
  const { live, callersHeld } = app.gate.stats
  t.equal(live - callersHeld, 0, 'a refused grant is not watched')
})

t.test('reads the token from the query if tokenInQuery is on', async (t) => {
  const auth = await scriptedAuth(t)
  const { ws } = await guardedApp(t, { authUrl: auth.url, tokenInQuery: true })
  const token = auth.issue()
  const peer = await dial(`${ws}/echo?access_token=${token}`)
  t.equal(await peer.ask('x'), 'ada: x')
  const twice = await refused(`${ws}/echo?access_token=${token}&access_token=${token}`)
  t.equal(twice.status, 400, 'two in the query')
  const both = await refused(`${ws}/echo?access_token=${token}`, { token })
  t.equal(both.status, 400, 'one in the query, one in the header')
})

t.test('ends the connection of a refused upgrade', async (t) => {
  const auth = await scriptedAuth(t)
  const { http } = await guardedApp(t, { authUrl: auth.url })
  // raw() never ends its side, so it resolves because the server did.
  const answer = await raw(`${http}/echo`, [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ])
  t.match(answer, /^HTTP\/1.1 401 Unauthorized\r\n/)
  t.match(answer, /authentication failed/)
})

t.test('admit throws for an invalid scope', async (t) => {
  const auth = await scriptedAuth(t)
  const { app } = await guardedApp(t, { authUrl: auth.url })
  t.throws(() => app.admit({ scope: 'fly' }), { code: 'bad_options' })
  t.throws(() => app.admit({ scope: '' }), { code: 'bad_options' })
})

t.test('request.grant throws on a route without the hook', async (t) => {
  const auth = await scriptedAuth(t)
  const { http } = await guardedApp(t, {
    authUrl: auth.url,
    routes: (app) => {
      app.get('/open', async (request) => request.grant.subject)
    },
  })
  t.equal((await fetch(`${http}/open`)).status, 500)
})

/** Sends a hand-written request and returns every byte until the server ends the connection. */
async function raw(url: string, headers: string[]): Promise<string> {
  const { hostname, port, pathname, host } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  const close = headers.some((header) => header.startsWith('Connection'))
    ? []
    : ['Connection: close']
  socket.write(
    [`GET ${pathname} HTTP/1.1`, `Host: ${host}`, ...close, ...headers, '', ''].join('\r\n'),
  )
  let answer = ''
  for await (const chunk of socket) {
    answer += chunk
  }
  socket.destroy()
  return answer
}
