import t from 'tap'
import { RawSocket } from '../../fixtures/raw-socket.js'
import { randomPrefix, realtimeNode } from '../../fixtures/realtime-node.js'
import { scriptedAuth } from '../../fixtures/scripted-auth.js'

const auth = await scriptedAuth(t)
const node = await realtimeNode(t, {
  AUTH_URL: auth.url,
  REDIS_PREFIX: randomPrefix(),
  REFUSALS_PER_MINUTE: '1000000',
})
const admin = auth.issue({ scope: 'admin publish:* subscribe:* history:* presence:*' })

/**
 * All routes of the server API, from the node's OpenAPI description, so that new ones are included.
 */
const description = await fetch(`${node.url}/docs`)
const { paths } = (await description.json()) as { paths: object }
const routes = Object.keys(paths)
t.ok(routes.length >= 9)

interface Answer {
  status: number
  body: string
}

/** Sends a raw request, which a client library might correct. */
async function raw(lines: readonly string[], body = ''): Promise<Answer> {
  const peer = await RawSocket.dial(t, node.port)
  const head = [
    ...lines,
    'Host: x',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  peer.send(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`))
  const [status = '', ...rest] = (await peer.rest()).split('\r\n')
  return {
    status: Number(status.split(' ')[1]),
    body: rest.join('\r\n').split('\r\n\r\n')[1] ?? '',
  }
}

const as = (token: string) => `Authorization: Bearer ${token}`

t.test('checks the token and the schema with any Content-Type', async (t) => {
  // fastify CVE-2026-25223, CVE-2026-3419, CVE-2026-33806
  const published = await node.metric('portcullis_realtime_published_total')
  const types = [
    'application/json',
    'Application/JSON',
    ' application/json',
    '\tapplication/json\t',
    'application/json;charset=utf-8;x=y',
    'application/json,text/plain',
    'application/json garbage',
    'application/jsonx',
    'application/vnd.x+json',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
    ';',
    undefined,
  ]
  for (const path of routes.filter((each) => each !== '/api/info')) {
    for (const type of types) {
      const lines = [
        `POST ${path} HTTP/1.1`,
        ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ]
      const name = `${path} as ${JSON.stringify(type)}`
      t.equal((await raw(lines, '7')).status, 401, `${name}, no token`)
      const { status, body } = await raw([...lines, as(admin)], '7')
      t.ok(status === 400 || status === 415, `${name}: ${status} ${body}`)
    }
  }
  t.equal(await node.metric('portcullis_realtime_published_total'), published)
})

t.test('checks the token with any spelling of a path', async (t) => {
  // middie CVE-2026-2880
  const spellings = (path: string) => [
    path,
    `/${path}`,
    path.replace('/api/', '/api//'),
    ...['/', '//', '/.', '.', '/..', ';x=y', '%00', '%20', '%3Fx', '%', '%zz', '#x'].map(
      (end) => path + end,
    ),
    path.replace('/api/', '/api/./'),
    path.replace('/api/', '/api/x/../'),
    path.replace('/api/', '/health/../api/'),
    path.replace('/api', '/api;x=y'),
    path.replace('/api/', '/api%2F'),
    path.replace('/api/', '/%61pi/'),
    path.replace('/api/', '\\api\\'),
    path.toUpperCase(),
    `http://x${path}`,
    `*${path}`,
  ]
  for (const path of routes) {
    for (const spelling of spellings(path)) {
      for (const method of ['POST', 'GET']) {
        const lines = [`${method} ${spelling} HTTP/1.1`, 'Content-Type: application/json']
        const { status, body } = await raw(
          lines,
          method === 'POST' ? '{"channel":"a","data":1}' : '',
        )
        t.ok([400, 401, 404, 405].includes(status), `${method} ${spelling}: ${status}`)
        t.notMatch(body, /"stack"|node_modules/)
      }
    }
  }
})

t.test('ignores proxy and method headers of a direct peer', async (t) => {
  // fastify CVE-2026-3635
  const claims = [
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Prefix: /health',
    'X-Original-URL: /health',
    'X-Rewrite-URL: /health',
    'X-HTTP-Method-Override: GET',
    'Forwarded: for=127.0.0.1;host=evil.example;proto=https',
  ]
  for (const path of routes) {
    const lines = [`POST ${path} HTTP/1.1`, 'Content-Type: application/json', ...claims]
    t.equal((await raw(lines, '{}')).status, 401, path)
  }
  const lines = ['POST /api/publish HTTP/1.1', 'Content-Type: application/json', ...claims]
  const answer = await raw([...lines, as(admin)], '{"channel":"a","data":1}')
  t.same(
    answer,
    { status: 200, body: '{"result":{}}' },
    'a valid request with these headers succeeds',
  )
})

t.test('refuses a user’s token for every command of the server API', async (t) => {
  const everything = [
    'subscribe:* publish:* history:* presence:*',
    'introspect feed tokens:issue tokens:read tokens:revoke identities:write nodes:read',
  ].join(' ')
  const published = await node.metric('portcullis_realtime_published_total')
  const user = auth.issue({ subject: 'ada', scope: everything })
  const namesake = auth.issue({ identity: 'bank', subject: 'shop', scope: everything })
  for (const path of routes) {
    for (const token of [user, namesake]) {
      const lines = [`POST ${path} HTTP/1.1`, 'Content-Type: application/json', as(token)]
      const { status, body } = await raw(lines, '{')
      t.equal(status, 403, `${path}: before the invalid body is parsed`)
      t.match(JSON.parse(body), { status: 403, code: 'insufficient_scope', detail: /server/ })
    }
    const head = [`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', as(user)]
    const waiting = await RawSocket.dial(t, node.port)
    waiting.send(Buffer.from(`${head.join('\r\n')}\r\nContent-Length: 100\r\n\r\n{`))
    const refusal = await waiting.head()
    t.match(refusal, /^HTTP\/1\.1 403 /, `${path}: without waiting for the body`)
    t.match(refusal, /www-authenticate: Bearer error="insufficient_scope", scope="server"/i)
    waiting.socket.destroy()
  }
  t.equal(await node.metric('portcullis_realtime_published_total'), published)
})

t.test('accepts an identity’s own token and one with the scope server', async (t) => {
  const command = '{"channel":"a","data":1}'
  for (const issue of [
    { subject: 'shop', scope: 'publish:a' },
    { subject: 'worker', scope: 'publish:a server' },
    { subject: 'root', scope: 'admin' },
  ]) {
    const lines = ['POST /api/publish HTTP/1.1', 'Content-Type: application/json']
    t.equal((await raw([...lines, as(auth.issue(issue))], command)).status, 200, issue.scope)
  }
})

t.test('accepts a token in one place only', async (t) => {
  const good = auth.issue({ subject: 'shop' })
  const body = '{"channel":"a","data":1}'
  const post = (...headers: string[]) =>
    raw(['POST /api/publish HTTP/1.1', 'Content-Type: application/json', ...headers], body)
  t.equal((await post(as(good), as('bad'))).status, 400, 'two Authorization headers')
  t.equal((await post(as('bad'), as(good))).status, 400)
  t.equal((await post(as('bad'), `X-API-Key: ${good}`)).status, 401, 'X-API-Key is ignored')
  t.equal((await post(`X-API-Key: ${good}`, `X-API-Key: ${good}`)).status, 400)
  t.equal((await post(`X-API-Key: ${good}, ${good}`)).status, 400)
  t.equal((await post(`Sec-WebSocket-Protocol: portcullis, bearer.${good}`)).status, 401)
  t.equal((await post(`Cookie: token=${good}`)).status, 401)
  t.equal((await post(as(good))).status, 200)
})

t.test('refuses or ignores __proto__ and constructor in a body', async (t) => {
  for (const body of [
    '{"__proto__":{"channel":"a","data":1}}',
    '{"channel":"a","data":1,"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"channel":"a"}},"data":1}',
    '{"channel":{"toString":"a"},"data":1}',
  ]) {
    const lines = ['POST /api/publish HTTP/1.1', 'Content-Type: application/json', as(admin)]
    t.equal((await raw(lines, body)).status, 400, body)
  }
})
