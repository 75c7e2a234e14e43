import t from 'tap'
import { auth } from '../fixtures/auth.js'
import { redisProxy } from '../fixtures/redis-proxy.js'

t.test('requests of an identity are limited, at all instances together', async (t) => {
  const self = await auth(t, { IDENTITY_REQUESTS_PER_MINUTE: '5' })
  const other = await self.another()
  const quiet = await self.identity(['nodes:read'])
  const busy = await self.identity(['nodes:read', 'introspect'])
  const token = await self.token(busy)
  for (const instance of [self, other, self, other])
    t.equal((await instance.api(token, 'GET', '/v1/nodes')).statusCode, 200)

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

t.test('who has not proved who he is uses up nothing of an identity', async (t) => {
  const self = await auth(t, { IDENTITY_REQUESTS_PER_MINUTE: '1' })
  for (const client_secret of ['x', 'y'])
    await self.form('/oauth/token', {
      grant_type: 'client_credentials',
      client_id: 'admin',
      client_secret,
    })
  t.type(await self.token(), 'string')
})

t.test('requests of an address are limited, whatever they bring', async (t) => {
  const self = await auth(t, { ADDRESS_REQUESTS_PER_MINUTE: '4', TRUST_PROXY: '127.0.0.1' })
  const other = await self.another()
  const from = (address: string, url = '/v1/nodes', instance = self) =>
    instance.app.inject({ url, headers: { 'x-forwarded-for': address } })
  for (const url of ['/v1/nodes', '/v1/feed', '/v1/identities/x', '/v1/nodes'])
    t.equal((await from('10.0.0.1', url, other)).statusCode, 401)
  const limited = await from('10.0.0.1:41000')
  t.match(limited.json(), { status: 429, code: 'too_many_requests' })
  t.match(limited.headers['retry-after'], /^[1-9]/)
  t.equal((await from('10.0.0.2')).statusCode, 401)
  for (const port of [1, 2, 3, 4]) await from(`[2001:db8::7]:${port}`)
  t.equal((await from('[2001:db8::7]:5')).statusCode, 429, 'ports do not make addresses')
  for (const url of ['/health', '/ready', '/metrics', '/.well-known/jwks.json'])
    t.equal((await from('10.0.0.1', url)).statusCode, 200, url)
})

t.test('X-Forwarded-For without TRUST_PROXY is warned of', async (t) => {
  const self = await auth(t)
  await self.app.inject({ url: '/health', headers: { 'x-forwarded-for': '10.0.0.1' } })
  t.match(self.logs(), /TRUST_PROXY is not set/)
})

t.test('without Redis nothing is unlimited', async (t) => {
  const proxy = await redisProxy(t)
  const self = await auth(t, { ADDRESS_REQUESTS_PER_MINUTE: '4', REDIS_URL: proxy.url })
  proxy.cut()
  const answer = await self.api(undefined, 'GET', '/v1/nodes')
  t.match(answer.json(), { status: 503, code: 'registry_unavailable' })
  t.match(answer.headers['retry-after'], /^[1-9]/)
  t.equal((await self.app.inject('/.well-known/jwks.json')).statusCode, 200)
})
