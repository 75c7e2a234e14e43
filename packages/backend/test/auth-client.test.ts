import { inspect } from 'node:util'
import t, { type Test } from 'tap'
import { authClient } from '../src/auth-client.js'
import type { BackendError } from '../src/errors.js'
import { authServer, type Respond, tokenResponse } from './fixtures/auth-server.js'

const credentials = { identity: 'shop/1', registrationCode: 'secret code' }
const ada = { subject: 'ada' }

/** Starts a scripted auth and a client of it. */
async function start(
  t: Test,
  routes: Record<string, Respond>,
  options: { timeoutMs?: number } = {},
) {
  const auth = await authServer(t, {
    'POST /oauth/token': (n) => tokenResponse('own', n),
    ...routes,
  })
  return { auth, client: authClient({ authUrl: auth.authUrl, credentials, ...options }) }
}

const failureOf = (work: Promise<unknown>): Promise<BackendError> =>
  work.then(
    () => Promise.reject(new Error('expected an error')),
    (error: BackendError) => error,
  )

t.test('issues tokens with one own token, which it fetches once', async (t) => {
  const { auth, client } = await start(t, { 'POST /v1/tokens': (n) => tokenResponse('user', n) })
  const orders = [ada, { subject: 'ada', channel: 'room:7', ttlSeconds: 60, labels: ['device:1'] }]
  const issued = await Promise.all(orders.map((order) => client.issueToken(order)))
  t.same(issued.map((token) => token.access_token).sort(), ['user-1', 'user-2'])
  t.match(auth.to('POST /oauth/token'), [
    {
      authorization: `Basic ${btoa('shop%2F1:secret%20code')}`,
      body: 'grant_type=client_credentials',
    },
  ])
  t.equal(auth.to('POST /oauth/token').length, 1)
  const sent = auth.to('POST /v1/tokens')
  t.same(
    sent.map(({ body }) => JSON.parse(body)).sort((a) => ('channel' in a ? 1 : -1)),
    orders,
  )
  t.ok(sent.every(({ authorization }) => authorization === 'Bearer own-1'))
})

t.test('renews its own token at half of its lifetime', async (t) => {
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  const { auth, client } = await start(t, { 'POST /v1/tokens': (n) => tokenResponse('user', n) })
  for (const at of [0, 1_799_000, 1_801_000]) {
    now = at
    await client.issueToken(ada)
  }
  t.same(
    auth.to('POST /v1/tokens').map(({ authorization }) => authorization),
    ['Bearer own-1', 'Bearer own-1', 'Bearer own-2'],
  )
})

t.test('replaces its own token once when auth refuses it', async (t) => {
  const { auth, client } = await start(t, {
    'POST /v1/tokens': (n, { authorization }) =>
      authorization === 'Bearer own-1'
        ? { status: 401, body: { code: 'invalid_token', detail: 'the token is not active' } }
        : tokenResponse('user', n),
  })
  t.equal((await client.issueToken(ada)).access_token, 'user-2')
  t.equal(auth.to('POST /oauth/token').length, 2)
})

t.test('gives up when auth refuses the new token too', async (t) => {
  const { auth, client } = await start(t, {
    'POST /v1/tokens': () => ({ status: 401, body: { code: 'invalid_token' } }),
  })
  t.match(await failureOf(client.issueToken(ada)), { code: 'refused', problem: 'invalid_token' })
  t.equal(auth.to('POST /v1/tokens').length, 2)
})

for (const [name, respond, expected] of [
  [
    'a missing scope',
    () => ({ status: 403, body: { code: 'insufficient_scope', detail: 'needs tokens:issue' } }),
    {
      code: 'refused',
      authStatus: 403,
      problem: 'insufficient_scope',
      message: 'needs tokens:issue (HTTP 403)',
    },
  ],
  [
    'too many requests',
    () => ({ status: 429, headers: { 'retry-after': '7' }, body: { code: 'rate_limited' } }),
    { code: 'rate_limited', authStatus: 429, retryAfterSeconds: 7 },
  ],
  ['a proxy without auth', () => ({ status: 502, body: '<html>' }), { code: 'unavailable' }],
  [
    'another website',
    () => ({ status: 404, body: '<html>' }),
    { code: 'bad_answer', authStatus: 404 },
  ],
  ['a page of a website', () => ({ body: '<html>' }), { code: 'bad_answer' }],
  ['a lost connection', () => 'cut', { code: 'network' }],
] satisfies [string, Respond, object][]) {
  t.test(`reports ${name} as ${expected.code}`, async (t) => {
    const { client } = await start(t, { 'POST /v1/tokens': respond })
    t.match(await failureOf(client.issueToken(ada)), { name: 'BackendError', ...expected })
  })
}

t.test('reports a response that does not come in time', async (t) => {
  const { client } = await start(t, { 'POST /v1/tokens': () => 'nothing' }, { timeoutMs: 50 })
  t.match(await failureOf(client.issueToken(ada)), { code: 'timeout', message: /50 ms/ })
})

t.test('reports a wrong registration code, and asks again at the next call', async (t) => {
  const { client } = await start(t, {
    'POST /oauth/token': (n) =>
      n === 1 ? { status: 401, body: { error: 'invalid_client' } } : tokenResponse('own', n),
    'POST /v1/tokens': (n) => tokenResponse('user', n),
  })
  t.match(await failureOf(client.issueToken(ada)), { code: 'invalid_client', authStatus: 401 })
  t.equal((await client.issueToken(ada)).access_token, 'user-1')
})

t.test('no error contains a registration code or a token', async (t) => {
  const secrets = /secret|own-1|user-token|c2hvc/
  for (const respond of [
    () => ({ status: 403, body: { code: 'insufficient_scope' } }),
    () => ({ body: 'user-token' }),
    () => 'cut',
  ] satisfies Respond[]) {
    for (const route of ['POST /oauth/token', 'POST /v1/tokens']) {
      const { client } = await start(t, { [route]: respond })
      const error = await failureOf(client.issueToken(ada))
      t.notMatch(inspect(error, { depth: 9, showHidden: true }), secrets)
    }
  }
  for (const authUrl of ['shop:secret', 'http://shop:secret@auth.example', 'ftp://secret']) {
    t.throws(() => authClient({ authUrl, credentials }), { message: /^authUrl must/ })
    try {
      authClient({ authUrl, credentials })
    } catch (error) {
      t.notMatch(inspect(error), secrets)
    }
  }
})
