import t from 'tap'
import { auth } from '../fixtures/auth.js'
import { redisProxy } from '../fixtures/redis-proxy.js'

t.test('limits requests of an identity at all instances together', async (t) => {
  const self = await auth(t, { IDENTITY_REQUESTS_PER_MINUTE: '5' })
  const other = await self.another()
  const quiet = await self.identity(['nodes:read'])
  const busy = await self.identity(['nodes:read', 'introspect'])
  const token = await self.token(busy)
  for (const instance of [self, other, self, other]) {
    t.equal((await instance.api(token, 'GET', '/v1/nodes')).statusCode, 200)
  }

  const limited = await other.api(token, 'GET', '/v1/nodes')
  t.match(limited.json(), { status: 429, code: 'too_many_requests', detail: /wait/ })
  t.match(limited.headers['retry-after'], /^[1-9]/)
  const headers = { authorization: `Bearer ${token}` }
  const introspection = await self.form('/oauth/introspect', { token }, headers)
  t.match(introspection.json(), { error: 'temporarily_unavailable' })
  t.equal(introspection.statusCode, 429)
  const issue = await self.form('/oauth/token', {
    grant_type: 'client_credentials',
    client_id: busy.identity,
    client_secret: busy.registrationCode,
  })
  t.equal(issue.statusCode, 429)
  t.equal((await other.api(await self.token(quiet), 'GET', '/v1/nodes')).statusCode, 200)
})

t.test('charges units by the work of a request, before it is done', async (t) => {
  const limits = { IDENTITY_REQUESTS_PER_MINUTE: '60', ADDRESS_REQUESTS_PER_MINUTE: '1000' }
  const self = await auth(t, limits)
  /** Returns how many requests a new identity may send, and then the error. */
  const times = async (ask: (token: string) => ReturnType<typeof self.api>) => {
    const token = await self.tokenWith('admin')
    for (let n = 0; ; n += 1) {
      const answer = await ask(token)
      if (answer.statusCode === 429) {
        return [n, answer.json().detail]
      }
      if (answer.statusCode !== 200) {
        throw new Error(answer.body)
      }
    }
  }
  const get = (url: string) => (token: string) => self.api(token, 'GET', url)
  const introspect = (tokens: (token: string) => string[]) => (token: string) =>
    self.api(token, 'POST', '/v1/introspections', { tokens: tokens(token) })
  const many = Array.from({ length: 200 }, (_, n) => `x${n}`)
  // The identity's own token has cost one unit.
  const wait = 'too many requests; wait, then try again'
  const tooLarge = (units: number) =>
    `this request counts as ${units} units of 60 per minute; ask for less in one request`
  for (const [name, ask, expected] of [
    ['a small request', get('/v1/keys'), [59, wait]],
    ['a page of 500 tokens', get('/v1/tokens?identity=admin&limit=500'), [2, wait]],
    ['tokens by state', get('/v1/tokens?identity=admin&state=revoked&limit=5'), [1, wait]],
    ['a count of everything', get('/v1/tokens/count'), [1, wait]],
    ['a page of 500 identities', get('/v1/identities?limit=500'), [2, wait]],
    ['a filter of the audit log', get('/v1/audit?actor=unknown&limit=1'), [5, wait]],
    ['200 tokens', introspect(() => many), [1, wait]],
    ['200 times the same token', introspect((token) => Array(200).fill(token)), [59, wait]],
    ['counts', get('/v1/tokens/count/by-identity?limit=1000'), [0, tooLarge(160)]],
  ] as const) {
    t.same(await times(ask), expected, name)
  }
  const small = await self.tokenWith('audit:read', 'tokens:read')
  const large = get('/v1/tokens/count/by-identity?limit=1000')
  t.equal((await large(small)).statusCode, 429)
  t.equal((await get('/v1/audit')(small)).statusCode, 200, 'a rejected request costs no units')
})

t.test('charges an address the same units', async (t) => {
  const self = await auth(t, { ADDRESS_REQUESTS_PER_MINUTE: '50', TRUST_PROXY: '127.0.0.1' })
  const token = await self.token()
  const ask = (url: string, address = '10.0.0.1') =>
    self.app.inject({
      url,
      headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
    })
  t.equal((await ask('/v1/tokens?limit=10')).statusCode, 200)
  t.equal((await ask('/v1/tokens?limit=10')).statusCode, 429)
  t.equal((await ask('/v1/tokens?limit=10', '10.0.0.2')).statusCode, 200)
})

t.test('charges an identity nothing for failed authentications', async (t) => {
  const self = await auth(t, { IDENTITY_REQUESTS_PER_MINUTE: '1' })
  for (const client_secret of ['x', 'y']) {
    await self.form('/oauth/token', {
      grant_type: 'client_credentials',
      client_id: 'admin',
      client_secret,
    })
  }
  t.type(await self.token(), 'string')
})

t.test('limits requests of an address, authenticated or not', async (t) => {
  const self = await auth(t, { ADDRESS_REQUESTS_PER_MINUTE: '4', TRUST_PROXY: '127.0.0.1' })
  const other = await self.another()
  const from = (address: string, url = '/v1/nodes', instance = self) =>
    instance.app.inject({ url, headers: { 'x-forwarded-for': address } })
  for (const url of ['/v1/nodes', '/v1/feed', '/v1/identities/x', '/v1/nodes']) {
    t.equal((await from('10.0.0.1', url, other)).statusCode, 401)
  }
  const limited = await from('10.0.0.1:41000')
  t.match(limited.json(), { status: 429, code: 'too_many_requests' })
  t.match(limited.headers['retry-after'], /^[1-9]/)
  t.equal((await from('10.0.0.2')).statusCode, 401)
  for (const port of [1, 2, 3, 4]) {
    await from(`[2001:db8::7]:${port}`)
  }
  t.equal((await from('[2001:db8::7]:5')).statusCode, 429, 'ignores the port of an address')
  for (const url of ['/health', '/ready', '/metrics', '/.well-known/jwks.json']) {
    t.equal((await from('10.0.0.1', url)).statusCode, 200, url)
  }
})

t.test('warns about X-Forwarded-For without TRUST_PROXY', async (t) => {
  const self = await auth(t)
  await self.app.inject({ url: '/health', headers: { 'x-forwarded-for': '10.0.0.1' } })
  t.match(self.logs(), /TRUST_PROXY is not set/)
})

t.test('rejects requests without Redis instead of not limiting them', async (t) => {
  const proxy = await redisProxy(t)
  const self = await auth(t, { ADDRESS_REQUESTS_PER_MINUTE: '4', REDIS_URL: proxy.url })
  proxy.cut()
  const answer = await self.api(undefined, 'GET', '/v1/nodes')
  t.match(answer.json(), { status: 503, code: 'registry_unavailable' })
  t.match(answer.headers['retry-after'], /^[1-9]/)
  t.equal((await self.app.inject('/.well-known/jwks.json')).statusCode, 200)
})
