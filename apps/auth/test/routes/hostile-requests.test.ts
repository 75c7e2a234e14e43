import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { type Auth, auth } from '../fixtures/auth.js'
import { listen } from '../fixtures/node.js'
import { authWithRoutes, type RegisteredRoute } from '../fixtures/routes.js'

/** A method, a path with values for its parameters, and a body that no object schema accepts. */
interface Call {
  method: string
  path: string
  body: string
}

/** Returns a call of each registered route under a prefix. */
function callsOf(routes: readonly RegisteredRoute[], prefix: string): Call[] {
  return routes
    .filter(({ url }) => url.startsWith(prefix))
    .map(({ method, url, schema }) => ({
      method,
      path: url.replaceAll(/:(\w+)/g, (_, name) => (name === 'identity' ? 'admin' : 'x')),
      body: schema.body === undefined ? '' : '[]',
    }))
}

/** The routes that need no authentication. */
const publicRoutes = [
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/health',
  '/metrics',
  '/ready',
]

const contentTypes = [
  'application/json',
  'Application/JSON',
  'application/json ',
  ' application/json',
  '\tapplication/json',
  'application/json\t',
  'application/json\t; charset=utf-8',
  'application/json;charset=utf-8;x=y',
  'application/json; charset="utf-8"',
  'application/json,text/plain',
  'application/json garbage',
  'application/jsonx',
  'application/vnd.x+json',
  'text/plain',
  'text/plain; application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  '',
  ';',
  '/',
  undefined,
]

/** Sends raw bytes, which no client library normalizes. Returns status and body of the response. */
async function raw(self: Auth, lines: string[], body: string): Promise<[number, string]> {
  const socket = connect(Number(new URL(await listen(self)).port), '127.0.0.1')
  await once(socket, 'connect')
  const head = [...lines, 'Host: x', 'Connection: close', `Content-Length: ${body.length}`]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  let text = ''
  for await (const chunk of socket) {
    text += String(chunk)
  }
  const [status = '', ...rest] = text.split('\r\n')
  return [Number(status.split(' ')[1]), rest.join('\r\n').split('\r\n\r\n')[1] ?? '']
}

t.test('no Content-Type bypasses authorization or validation', async (t) => {
  // fastify CVE-2026-25223, CVE-2026-3419, CVE-2026-33806
  const { self, routes } = await authWithRoutes(t)
  const admin = await self.token()
  const registering = callsOf(routes, '/oauth/register').filter(({ method }) => method === 'POST')
  for (const { method, path, body } of [...callsOf(routes, '/v1/'), ...registering]) {
    if (body === '') {
      continue
    }
    for (const type of contentTypes) {
      const lines = [
        `${method} ${path} HTTP/1.1`,
        ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ]
      const name = `${method} ${path} as ${JSON.stringify(type)}`
      const [without] = await raw(self, lines, body)
      t.equal(without, 401, `${name}, without a token`)
      const [status, answer] = await raw(self, [...lines, `Authorization: Bearer ${admin}`], body)
      t.ok(status === 400 || status === 415, `${name}: ${status} ${answer}`)
    }
  }
  t.equal((await self.api(admin, 'GET', '/v1/nodes')).statusCode, 200, 'revoked nothing')
})

t.test('authenticates callers of every route that is not public, first of all', async (t) => {
  const { self, routes } = await authWithRoutes(t)
  // /docs serves a page with several files.
  const known = (url: string) => /^\/(?:v1|oauth|docs)(?:\/|$)/.test(url)
  t.same(
    routes
      .filter(({ url }) => !known(url))
      .map(({ url }) => url)
      .sort(),
    publicRoutes,
  )
  for (const { method, path } of callsOf(routes, '/v1/')) {
    const answer = await self.app.inject({ method: method as 'GET', url: path })
    t.equal(answer.statusCode, 401, `${method} ${path}`)
    t.match(answer.headers['www-authenticate'], /^Bearer /)
  }
})

t.test('accepts a form only with the content type of a form', async (t) => {
  const { self, routes } = await authWithRoutes(t)
  const { identity, registrationCode } = self.admin
  const form = `grant_type=client_credentials&client_id=${identity}&client_secret=${registrationCode}`
  const json = JSON.stringify(Object.fromEntries(new URLSearchParams(form)))
  for (const { method, path } of callsOf(routes, '/oauth/')) {
    if (method !== 'POST') {
      continue
    }
    for (const type of contentTypes) {
      const isForm = type === 'application/x-www-form-urlencoded'
      const lines = [
        `POST ${path} HTTP/1.1`,
        ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ]
      const [status, answer] = await raw(self, lines, isForm ? json : form)
      t.ok(status >= 400 && status < 500, `${path} as ${JSON.stringify(type)}: ${status}`)
      t.notMatch(answer, 'access_token')
      t.match(
        JSON.parse(answer),
        { error: String, error_description: String },
        'returns an OAuth error',
      )
    }
  }
})

t.test('no spelling of a path bypasses authorization', async (t) => {
  // middie CVE-2026-2880
  const { self, routes } = await authWithRoutes(t)
  const spellings = (bare: string) => {
    const [, first = ''] = bare.split('/')
    const after = (text: string) => bare.replace(`/${first}/`, text)
    return [
      `/${bare}`,
      after(`/${first}//`),
      `${bare}/`,
      `${bare}//`,
      `${bare}/.`,
      `${bare}.`,
      `${bare}/..`,
      after(`/${first}/./`),
      after(`/${first}/x/../`),
      `/x/..${bare}`,
      after(`/${first}/..;/`),
      `${bare};x=y`,
      after(`/${first};x=y/`),
      after(`/${first}%2F`),
      after(`/${first}%2f`),
      after(`/%${first.charCodeAt(0).toString(16)}${first.slice(1)}/`),
      after(`/${first}/%2e/`),
      after(`\\${first}\\`),
      `${bare}%00`,
      `${bare}%20`,
      `${bare}%3Fx`,
      `${bare}%`,
      `${bare}%zz`,
      `${bare}#x`,
      bare.toUpperCase(),
      after(`/${first.toUpperCase()}/`),
      `http://x${bare}`,
      `*${bare}`,
    ]
  }
  for (const { method, path, body } of [
    ...callsOf(routes, '/v1/'),
    ...callsOf(routes, '/oauth/'),
  ]) {
    for (const spelling of spellings(path)) {
      const lines = [`${method} ${spelling} HTTP/1.1`, 'Content-Type: application/json']
      const [status, answer] = await raw(self, lines, body)
      t.ok([400, 401, 404, 405, 415].includes(status), `${method} ${spelling}: ${status}`)
      t.notMatch(answer, /"stack"|node_modules/)
    }
  }
})

t.test('answers 405 to other methods, with Allow', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const allowed = {
    '/v1/identities': ['GET', 'HEAD', 'POST'],
    '/v1/identities/x': ['DELETE', 'GET', 'HEAD', 'PATCH'],
    '/v1/revocations': ['GET', 'HEAD', 'POST'],
    '/v1/introspections': ['POST'],
    '/oauth/token': ['POST'],
    '/oauth/revoke': ['POST'],
    '/oauth/register': ['POST'],
    '/oauth/register/x': ['DELETE', 'GET', 'HEAD', 'PUT'],
    '/v1/nodes': ['GET', 'HEAD'],
  }
  for (const [path, methods] of Object.entries(allowed)) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS'] as const) {
      if (methods.includes(method)) {
        continue
      }
      const answer = await self.api(admin, method, path)
      t.equal(answer.statusCode, 405, `${method} ${path}`)
      t.equal(answer.headers.allow, methods.join(', '))
    }
  }
  const unknown = await self.api(admin, 'GET', '/v1/nothing')
  t.match(unknown.json(), { status: 404, code: 'not_found' })
})

t.test('ignores X-Forwarded-* and X-HTTP-Method-Override of a direct peer', async (t) => {
  // fastify CVE-2026-3635
  const { self, routes } = await authWithRoutes(t)
  const admin = await self.token()
  const headers = {
    'x-forwarded-for': '10.9.8.7',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-prefix': '/health',
    'x-original-url': '/health',
    'x-rewrite-url': '/health',
    'x-http-method-override': 'GET',
    forwarded: 'for=10.9.8.7;host=evil.example;proto=https',
  }
  for (const { method, path, body } of callsOf(routes, '/v1/')) {
    const payload = body === '' ? {} : { payload: body }
    const type = { 'content-type': 'application/json' }
    const answer = await self.app.inject({
      method: method as 'GET',
      url: path,
      headers: { ...headers, ...type },
      ...payload,
    })
    t.equal(answer.statusCode, 401, `${method} ${path}`)
  }
  const issued = await self.app.inject({
    method: 'POST',
    url: '/v1/tokens',
    headers: { ...headers, authorization: `Bearer ${admin}` },
    payload: { subject: 'ann', scope: 'subscribe:a' },
  })
  const info = await self.api(admin, 'GET', `/v1/tokens/${issued.json().jti}`)
  t.equal(info.json().issuedFrom, '127.0.0.1', 'records the address of the peer')
  const metadata = await self.app.inject({
    url: '/.well-known/oauth-authorization-server',
    headers,
  })
  t.notMatch(metadata.body, 'evil')
  t.match(self.logs(), '"from":"127.0.0.1"')
  t.notMatch(self.logs(), /10\.9\.8\.7|evil/)
})

t.test('rejects a body over 64 KiB', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const large = { identity: 'x', scopes: [], labels: ['x'.repeat(64 * 1024)] }
  const answer = await self.api(admin, 'POST', '/v1/identities', large)
  t.match(answer.json(), { status: 413, code: String })
  const form = await self.form('/oauth/token', { grant_type: 'x'.repeat(64 * 1024) })
  t.equal(form.statusCode, 413)
  t.equal(form.json().error, 'invalid_request')
})

t.test('rejects or ignores prototype pollution in JSON and forms', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  for (const body of [
    '{"__proto__":{"all":true}}',
    '{"constructor":{"prototype":{"all":true}}}',
    '{"identity":"x","__proto__":{"all":true}}',
  ]) {
    const answer = await self.app.inject({
      method: 'POST',
      url: '/v1/revocations',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
      payload: body,
    })
    t.equal(answer.statusCode, 400, body)
  }
  const form = await self.form(
    '/oauth/token',
    '__proto__=1&__proto__[grant_type]=client_credentials',
  )
  t.equal(form.json().error, 'invalid_request')
})
