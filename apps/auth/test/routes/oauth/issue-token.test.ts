import t from 'tap'
import { auth } from '../../fixtures/auth.js'

const basic = (identity: string, code: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(identity)}:${encodeURIComponent(code)}`).toString('base64')}`,
})
const grant = { grant_type: 'client_credentials' }

t.test('issues a token for credentials in the header or in the body', async (t) => {
  const { form, admin } = await auth(t)
  const byHeader = await form('/oauth/token', grant, basic('admin', admin.registrationCode))
  const byBody = await form('/oauth/token', {
    ...grant,
    client_id: 'admin',
    client_secret: admin.registrationCode,
  })
  for (const answer of [byHeader, byBody]) {
    t.equal(answer.statusCode, 200)
    t.match(answer.json(), { token_type: 'Bearer', expires_in: 3600, scope: 'admin' })
    t.match(answer.headers, { 'cache-control': 'no-store', pragma: 'no-cache' })
  }
})

t.test('issues JWT access tokens of RFC 9068', async (t) => {
  const { token } = await auth(t)
  const [header = '', payload = ''] = (await token()).split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
  t.match(read(header), { alg: 'EdDSA', typ: 'at+jwt', kid: String })
  t.match(read(payload), {
    iss: 'http://127.0.0.1:4000',
    aud: 'portcullis',
    sub: 'admin',
    client_id: 'admin',
    scope: 'admin',
    iat: Number,
    exp: Number,
    jti: /^0-/,
  })
})

t.test('form-decodes an identity with a colon, a plus or a percent sign', async (t) => {
  const { form, api, token } = await auth(t)
  const identity = 'team:app/1@x'
  const registered = await api(await token(), 'POST', '/v1/identities', { identity, scopes: [] })
  const { registrationCode } = registered.json()
  const answer = await form('/oauth/token', grant, basic(identity, registrationCode))
  t.equal(answer.statusCode, 200, 'accepts the identity with its colon encoded')
  const raw = Buffer.from(`${identity}:${registrationCode}`).toString('base64')
  const unencoded = await form('/oauth/token', grant, { authorization: `Basic ${raw}` })
  t.equal(unencoded.statusCode, 401, 'reads an unencoded colon as the end of the identity')
  t.equal(unencoded.json().error, 'invalid_client')
})

t.test('returns the same 401 with the scheme for all wrong credentials', async (t) => {
  const { form, admin } = await auth(t)
  const answers = [
    await form('/oauth/token', grant, basic('admin', 'wrong')),
    await form('/oauth/token', grant, basic('unknown', admin.registrationCode)),
    await form('/oauth/token', grant, basic('not an identity "*"', 'x')),
    await form('/oauth/token', { ...grant, client_id: 'admin', client_secret: 'wrong' }),
  ]
  for (const answer of answers) {
    t.equal(answer.statusCode, 401)
    t.match(answer.headers['www-authenticate'], /^Basic /)
    t.equal(answer.body, answers[0]?.body)
  }
})

t.test('rejects missing and malformed credentials as invalid_client', async (t) => {
  const { form } = await auth(t)
  const headers = ['Basic', 'Basic !!!', 'Basic YWRtaW4=', 'Basic JTplOiU=', 'Bearer x', 'Digest y']
  for (const authorization of [undefined, ...headers]) {
    const answer = await form('/oauth/token', grant, authorization ? { authorization } : {})
    t.equal(answer.statusCode, 401, `${authorization}`)
    t.equal(answer.json().error, 'invalid_client')
    t.match(answer.headers['www-authenticate'], /^Basic /)
  }
})

t.test('rejects credentials in both places, even if both are valid', async (t) => {
  const { form, admin } = await auth(t)
  const code = admin.registrationCode
  const both = { ...grant, client_id: 'admin', client_secret: code }
  const answer = await form('/oauth/token', both, basic('admin', code))
  t.equal(answer.statusCode, 400)
  t.equal(answer.json().error, 'invalid_request')
  const other = await form('/oauth/token', { ...grant, client_id: 'x' }, basic('admin', code))
  t.equal(other.statusCode, 400, 'rejects the client_id of another identity')
})

t.test('rejects a repeated parameter', async (t) => {
  const { form, admin } = await auth(t)
  const text = `grant_type=client_credentials&client_id=admin&client_secret=${admin.registrationCode}`
  for (const twice of ['grant_type=x', 'client_id=admin', 'client_secret=y', 'scope=a&scope=b']) {
    const answer = await form('/oauth/token', `${text}&${twice}`)
    t.equal(answer.statusCode, 400, twice)
    t.equal(answer.json().error, 'invalid_request')
  }
  t.equal(
    (await form('/oauth/token', `${text}&more=1&more=2`)).statusCode,
    200,
    'ignores unknown parameters',
  )
})

t.test('treats a parameter without a value as absent', async (t) => {
  const { form, admin } = await auth(t)
  const header = basic('admin', admin.registrationCode)
  const empty = { client_id: '', client_secret: '', client_assertion: '', scope: '' }
  t.equal((await form('/oauth/token', { ...grant, ...empty }, header)).statusCode, 200)
  const none = await form('/oauth/token', { grant_type: '' }, header)
  t.match(none.json(), { error: 'invalid_request', error_description: /grant_type/ })
  const twice = await form('/oauth/token', 'grant_type=client_credentials&scope=&scope=', header)
  t.match(twice.json(), { error: 'invalid_request' }, 'rejects a repeated empty parameter')
})

t.test('rejects an unknown or missing grant type', async (t) => {
  const { form, admin } = await auth(t)
  const header = basic('admin', admin.registrationCode)
  const other = await form('/oauth/token', { grant_type: 'password' }, header)
  t.match(other.json(), { error: 'unsupported_grant_type' })
  const none = await form('/oauth/token', {}, header)
  t.match(none.json(), { error: 'invalid_request', error_description: /grant_type/ })
})

t.test('issues only scopes that the identity has', async (t) => {
  const { form, identity } = await auth(t)
  const app = await identity(['subscribe:chat:*', 'publish:chat:{sub}', 'introspect'])
  const header = basic(app.identity, app.registrationCode)
  const ask = (scope: string) => form('/oauth/token', { ...grant, scope }, header)
  t.equal((await ask('subscribe:chat:1')).json().scope, 'subscribe:chat:1')
  t.equal((await ask('')).json().scope, 'subscribe:chat:* publish:chat:{sub} introspect')
  t.equal(
    (await ask(`publish:chat:${app.identity}`)).statusCode,
    200,
    'replaces {sub} by the identity itself',
  )
  for (const scope of [
    'admin',
    'subscribe:*',
    'subscribe:chat',
    'publish:chat:x',
    'feed',
    'nonsense',
  ]) {
    const answer = await ask(scope)
    t.equal(answer.statusCode, 400, scope)
    t.equal(answer.json().error, 'invalid_scope')
  }
})

t.test('uses the token lifetime of the identity', async (t) => {
  const { form, identity } = await auth(t)
  const app = await identity([], { tokenTtlSeconds: 77 })
  const answer = await form('/oauth/token', grant, basic(app.identity, app.registrationCode))
  t.equal(answer.json().expires_in, 77)
})

t.test('says that an identity is suspended only to callers with a valid code', async (t) => {
  const { form, identity, api, token } = await auth(t)
  const app = await identity([])
  await api(await token(), 'POST', `/v1/identities/${app.identity}/suspend`)
  const right = await form('/oauth/token', grant, basic(app.identity, app.registrationCode))
  t.equal(right.statusCode, 400)
  t.equal(right.json().error, 'unauthorized_client')
  const wrong = await form('/oauth/token', grant, basic(app.identity, 'wrong'))
  t.equal(wrong.json().error, 'invalid_client')
})

t.test('rejects scopes that would make the token too long', async (t) => {
  const { form, identity } = await auth(t)
  const scopes = Array.from({ length: 30 }, (_, i) => `subscribe:${i}${'x'.repeat(100)}`)
  const app = await identity(scopes)
  const answer = await form('/oauth/token', grant, basic(app.identity, app.registrationCode))
  t.equal(answer.json().error, 'invalid_scope')
})

t.test('limits failures of an address, also with a forged X-Forwarded-For', async (t) => {
  const { form } = await auth(t, { TOKEN_FAILURES_PER_MINUTE: '3' })
  const from = (address: string, code: string) =>
    form('/oauth/token', grant, { ...basic('admin', code), 'x-forwarded-for': address })
  for (const n of [1, 2, 3]) {
    t.equal((await from(`10.0.0.${n}`, 'wrong')).statusCode, 401)
  }
  const limited = await from('10.0.0.9', 'wrong')
  t.equal(limited.statusCode, 429)
  t.equal(limited.json().error, 'temporarily_unavailable')
  t.match(limited.headers['retry-after'], /^[1-9]/)
})

t.test('counts the clients of a trusted proxy separately', async (t) => {
  const { form } = await auth(t, { TOKEN_FAILURES_PER_MINUTE: '1', TRUST_PROXY: '127.0.0.1' })
  const from = (address: string) =>
    form('/oauth/token', grant, { ...basic('admin', 'wrong'), 'x-forwarded-for': address })
  t.equal((await from('10.0.0.1')).statusCode, 401)
  t.equal((await from('10.0.0.2')).statusCode, 401)
  t.equal((await from('10.0.0.1')).statusCode, 429)
})

t.test('does not limit successful authentications', async (t) => {
  const { token } = await auth(t, { TOKEN_FAILURES_PER_MINUTE: '1' })
  for (let n = 0; n < 5; n++) {
    t.type(await token(), 'string')
  }
})

t.test('returns 429 with Retry-After to an identity with too many tokens', async (t) => {
  const self = await auth(t, { MAX_TOKENS_PER_IDENTITY: '2', TOKEN_TTL_SECONDS: '600' })
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const backend = await self.token(shop)
  const admin = await self.token()
  const issue = () => self.api(backend, 'POST', '/v1/tokens', { subject: 'ann' })
  t.equal((await issue()).statusCode, 201)
  const client = await self.form('/oauth/token', grant, basic(shop.identity, shop.registrationCode))
  const user = await issue()
  for (const answer of [client, user]) {
    t.equal(answer.statusCode, 429)
    const seconds = Number(answer.headers['retry-after'])
    t.ok(seconds > 500 && seconds <= 601, `${seconds} s`)
  }
  t.match(client.json(), {
    error: 'temporarily_unavailable',
    error_description: /has 2 tokens that have not expired/,
  })
  t.match(user.json(), { code: 'too_many_tokens', detail: /MAX_TOKENS_PER_IDENTITY/ })
  const { entries } = (await self.api(admin, 'GET', '/v1/audit?result=refused')).json()
  t.match(entries, [
    { action: 'token.issue', error: 'too_many_tokens', actor: { identity: shop.identity } },
    { action: 'token.issue', error: 'too_many_tokens', actor: { identity: shop.identity } },
  ])
})

t.test('expires_in shortens the lifetime of a token, and never extends it', async (t) => {
  const self = await auth(t)
  const { identity, registrationCode } = await self.identity([], { tokenTtlSeconds: 600 })
  const issue = (expires_in: string) =>
    self.form('/oauth/token', { ...grant, expires_in }, basic(identity, registrationCode))
  for (const [requested, given] of [
    ['60', 60],
    ['600', 600],
    ['999999999', 600],
    ['', 600],
  ] as const) {
    const answer = (await issue(requested)).json()
    t.equal(answer.expires_in, given)
    const { iat, exp } = JSON.parse(atob(answer.access_token.split('.')[1]))
    t.equal(exp - iat, given + 1, 'a whole second, rounded up')
  }
  for (const wrong of ['0', '-1', '1.5', '1e3', 'soon', '9999999999']) {
    const answer = await issue(wrong)
    t.equal(answer.statusCode, 400, wrong)
    t.same(answer.json(), {
      error: 'invalid_request',
      error_description: 'body: expires_in must be a whole number of seconds, 1 or more',
    })
  }
})
