import { Readable } from 'node:stream'
import { maxParents } from '@portcullis/contracts/names'
import t from 'tap'
import { auth } from '../../fixtures/auth.js'

t.test('issues a token for a user and returns its record', async (t) => {
  const { api, tokenWith, token } = await auth(t)
  const backend = await tokenWith('tokens:issue', 'tokens:read', 'subscribe:user:{sub}')
  const body = { subject: 'ann', labels: ['device:phone'], ttlSeconds: 60 }
  const issued = await api(backend, 'POST', '/v1/tokens', body)
  t.equal(issued.statusCode, 201)
  t.match(issued.json(), { token_type: 'Bearer', expires_in: 60, scope: 'subscribe:user:{sub}' })
  const { jti, access_token } = issued.json()

  const admin = await token()
  const introspected = await api(admin, 'POST', '/v1/introspections', { tokens: [access_token] })
  t.match(introspected.json().results[0], { sub: 'ann', labels: ['device:phone'], jti })

  const shown = await api(backend, 'GET', `/v1/tokens/${jti}`)
  t.match(shown.json(), { jti, subject: 'ann', state: 'active', issuedFrom: '127.0.0.1' })
  const { identity } = shown.json()
  const list = await api(backend, 'GET', `/v1/tokens?identity=${identity}&subject=ann&limit=5`)
  t.same(
    list.json().tokens.map((one: { jti: string }) => one.jti),
    [jti],
  )
  await api(admin, 'POST', '/v1/revocations', { token: jti })
  t.equal((await api(backend, 'GET', `/v1/tokens/${jti}`)).json().state, 'revoked')
})

t.test('rejects half a surrogate pair in a subject, which no token can carry', async (t) => {
  const { api, tokenWith } = await auth(t)
  const backend = await tokenWith('tokens:issue', 'subscribe:a')
  const issue = (subject: string) => api(backend, 'POST', '/v1/tokens', { subject })
  for (const subject of ['\ud800', 'ada \udf1c', '\udf1c\ud83d', 'a\ud83d']) {
    const answer = await issue(subject)
    t.equal(answer.statusCode, 400)
    t.match(answer.json().detail, /^body: subject must be a subject \(sub\): .* surrogate pairs$/)
  }
  const answer = await issue('ada 👩‍👧 山田')
  t.equal(answer.statusCode, 201)
  const results = { tokens: [answer.json().access_token] }
  const introspected = await api(
    await tokenWith('introspect'),
    'POST',
    '/v1/introspections',
    results,
  )
  t.match(introspected.json().results, [{ active: true, sub: 'ada 👩‍👧 山田' }])
})

t.test('rejects the name of the identity as a subject', async (t) => {
  const { api, token, identity } = await auth(t)
  const shop = await identity(['tokens:issue', 'publish:*'])
  const body = { subject: shop.identity }
  const refused = await api(await token(shop), 'POST', '/v1/tokens', body)
  t.match(refused.json(), { status: 400, code: 'invalid_request', detail: /own tokens/ })
})

t.test('issues the channel scopes without service scopes by default', async (t) => {
  const { api, tokenWith, token, identity } = await auth(t)
  const scopes = ['tokens:issue', 'introspect', 'subscribe:a', 'publish:b:*']
  const backend = await tokenWith(...scopes)
  const issued = await api(backend, 'POST', '/v1/tokens', { subject: 'ann' })
  t.equal(issued.json().scope, 'subscribe:a publish:b:*')

  const narrow = await token(await identity(scopes), 'tokens:issue publish:b:1')
  const less = await api(narrow, 'POST', '/v1/tokens', { subject: 'ann' })
  t.equal(less.json().scope, 'publish:b:1', 'issues only scopes of the calling token')

  const none = await api(await tokenWith('tokens:issue'), 'POST', '/v1/tokens', { subject: 'ann' })
  t.equal(none.statusCode, 400)
  t.equal(none.json().code, 'invalid_scope')
})

t.test('limits scopes to those of the calling token and of its identity', async (t) => {
  const { api, token, identity } = await auth(t)
  const admin = await token()
  const shop = await identity(['tokens:issue', 'subscribe:a', 'subscribe:user:{sub}', 'publish:a'])
  const ask = (caller: string, scope: string, subject = 'ann') =>
    api(caller, 'POST', '/v1/tokens', { subject, scope })
  const full = await token(shop)
  const narrow = await token(shop, 'tokens:issue subscribe:a')
  t.equal((await ask(full, 'publish:a')).statusCode, 201)
  t.equal(
    (await ask(full, 'subscribe:user:ann')).statusCode,
    201,
    "allows the subject's own channel",
  )
  t.equal(
    (await ask(full, 'subscribe:user:ann', 'bob')).statusCode,
    400,
    "rejects another subject's channel",
  )
  t.equal(
    (await ask(narrow, 'publish:a')).json().code,
    'invalid_scope',
    'rejects a scope that the token lacks',
  )
  t.equal((await ask(full, 'feed')).json().code, 'invalid_scope')
  t.equal((await ask(full, 'tokens:issue')).statusCode, 201, 'allows a service scope if requested')

  await api(admin, 'PATCH', `/v1/identities/${shop.identity}`, { scopes: ['tokens:issue'] })
  t.equal(
    (await ask(full, 'publish:a')).json().code,
    'invalid_scope',
    'rejects a scope that the identity has lost',
  )
})

t.test(
  "uses the lifetime of the identity's tokens as default and maximum for its users",
  async (t) => {
    const { api, token, identity } = await auth(t)
    const shop = await identity(['tokens:issue', 'subscribe:a'], { tokenTtlSeconds: 100 })
    const ask = async (more: object) =>
      api(await token(shop), 'POST', '/v1/tokens', { subject: 'ann', ...more })
    t.ok((await ask({})).json().expires_in >= 99, 'is at most a second less')
    t.equal((await ask({ ttlSeconds: 5 })).json().expires_in, 5)
    const long = await ask({ ttlSeconds: 101 })
    t.match(long.json(), { status: 400, code: 'ttl_too_long', detail: /at most 100/ })
  },
)

t.test('issues a token that expires with its parent, and lists tokens by parent', async (t) => {
  const { api, token, identity } = await auth(t)
  const shop = await identity(['tokens:issue', 'tokens:read', 'subscribe:a'], {
    tokenTtlSeconds: 60,
  })
  const backend = await token(shop)
  await api(await token(), 'PATCH', `/v1/identities/${shop.identity}`, { tokenTtlSeconds: null })
  const month = { subject: 'ann', ttlSeconds: 2_592_000, scope: 'tokens:issue subscribe:a' }
  const issued = await api(backend, 'POST', '/v1/tokens', month)
  t.equal(issued.statusCode, 201)
  const child = issued.json()
  t.ok(child.expires_in <= 60 && child.expires_in >= 50, `expires in ${child.expires_in} s`)
  const claims = (jwt: string) =>
    JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64').toString())
  t.equal(claims(child.access_token).exp, claims(backend).exp)

  const grandchild = (await api(child.access_token, 'POST', '/v1/tokens', month)).json()
  const parents = [child.jti, claims(backend).jti]
  const admin = await token()
  const introspected = await api(admin, 'POST', '/v1/introspections', {
    tokens: [grandchild.access_token, backend],
  })
  t.match(introspected.json().results, [{ parents }, { parents: [] }])
  t.same((await api(admin, 'GET', `/v1/tokens/${grandchild.jti}`)).json().parents, parents)
  const list = async (query: string) => {
    const { tokens } = (await api(admin, 'GET', `/v1/tokens?${query}`)).json()
    return tokens.map(({ jti }: { jti: string }) => jti)
  }
  t.same(await list(`parent=${parents[1]}`), [grandchild.jti, child.jti])
  t.same(await list(`parent=${child.jti}`), [grandchild.jti])
  t.same(await list(`parent=${child.jti}&identity=another`), [])
  t.same(await list(`parent=${grandchild.jti}`), [])
  t.same((await api(admin, 'GET', `/v1/tokens/count?parent=${parents[1]}`)).json(), {
    active: 2,
    revoked: 0,
    exact: true,
  })
  const counts = await api(admin, 'GET', `/v1/tokens/count/by-identity?parent=${parents[1]}`)
  t.match(counts.json().identities, [{ identity: shop.identity, active: 2 }])
  t.equal((await api(admin, 'GET', '/v1/tokens?parent=x')).statusCode, 400)
})

t.test('issues nothing when the calling token is revoked before the body arrives', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const shop = await self.identity(['tokens:issue', 'subscribe:a'])
  const admin = await self.token()
  const selectors = [
    (token: string) => ({ token }),
    (token: string) => ({ token, cascade: true }),
    () => ({ identity: shop.identity }),
  ]
  for (const selector of selectors) {
    const backend = await self.token(shop)
    let revoked: number | undefined
    const body = new Readable({
      // The body is read only after the caller was admitted.
      read() {
        void other
          .api(admin, 'POST', '/v1/revocations', selector(backend))
          .then(({ statusCode }) => {
            revoked = statusCode
            this.push('{"subject":"evil"}')
            this.push(null)
          })
      },
    })
    const answer = await self.app.inject({
      method: 'POST',
      url: '/v1/tokens',
      headers: { authorization: `Bearer ${backend}`, 'content-type': 'application/json' },
      payload: body,
    })
    t.equal(revoked, 201)
    t.match(answer, { statusCode: 401, headers: { 'www-authenticate': /error="invalid_token"/ } })
    t.equal(answer.json().code, 'invalid_token')
    const found = await self.api(admin, 'GET', '/v1/tokens/count?subject=evil')
    t.same(found.json(), { active: 0, revoked: 0, exact: true })
  }
})

t.test('rejects a token with more than 8 parents', async (t) => {
  const { api, token, identity } = await auth(t)
  let caller = await token(await identity(['tokens:issue']))
  const issue = () => api(caller, 'POST', '/v1/tokens', { subject: 'ann', scope: 'tokens:issue' })
  for (let depth = 1; depth <= maxParents; depth += 1) {
    caller = (await issue()).json().access_token
  }
  const refused = await issue()
  t.match(refused.json(), { status: 403, code: 'too_many_parents', detail: /8 parents/ })
})

t.test('issues a subscription token for one channel', async (t) => {
  const { api, token, identity } = await auth(t)
  const shop = await token(await identity(['tokens:issue', 'subscribe:room:*', 'publish:*']))
  const ask = (body: object) => api(shop, 'POST', '/v1/tokens', { subject: 'ann', ...body })
  const issued = await ask({ channel: 'room:7' })
  t.equal(issued.statusCode, 201)
  t.equal(issued.json().scope, 'subscribe:room:7')
  const refused = [
    { channel: 'other:7' },
    { channel: 'room:7', scope: 'subscribe:room:7' },
    { channel: 'room:{sub}' },
  ]
  for (const body of refused) {
    t.equal((await ask(body)).json().code, 'invalid_scope', JSON.stringify(body))
  }
  t.equal((await ask({ channel: 'room:*' })).statusCode, 400, 'rejects a pattern')
})

t.test('lists and counts tokens with any filter', async (t) => {
  const { api, token, identity, admin } = await auth(t)
  const shop = await identity(['tokens:issue', 'subscribe:*'])
  const asShop = await token(shop)
  const asAdmin = await token()
  for (const [subject, label] of [
    ['ann', 'phone'],
    ['ann', 'web'],
    ['bob', 'web'],
  ]) {
    await api(asShop, 'POST', '/v1/tokens', { subject, labels: [label], ttlSeconds: 60 })
  }
  const get = async (path: string) => (await api(asAdmin, 'GET', path)).json()
  const { tokens } = await get('/v1/tokens?label=web')
  t.same(
    tokens.map(({ subject }: { subject: string }) => subject),
    ['bob', 'ann'],
  )
  t.match(await get(`/v1/tokens?identity=${shop.identity}&subject=ann&label=web`), {
    tokens: { length: 1 },
  })
  const soon = Date.now() + 120_000
  t.match(await get(`/v1/tokens?expiresBefore=${soon}`), { tokens: { length: 3 } })
  t.match(await get(`/v1/tokens?issuedAfter=${soon}`), { tokens: { length: 0 } })
  const page = await get('/v1/tokens?limit=2')
  t.equal(page.tokens[0].identity, admin.identity, 'sorts identities by name')
  const next = await get(`/v1/tokens?limit=1&cursor=${encodeURIComponent(page.cursor)}`)
  t.match(next.tokens, [{ subject: 'bob' }], 'continues with the newest token of the next identity')

  await api(asAdmin, 'POST', '/v1/revocations', { identity: shop.identity, subject: 'ann' })
  t.match(await get('/v1/tokens?state=revoked'), {
    tokens: [{ subject: 'ann' }, { subject: 'ann' }],
  })
  t.same(await get('/v1/tokens/count?subject=ann'), { active: 0, revoked: 2, exact: true })
  t.same(await get('/v1/tokens/count'), { active: 4, revoked: 2, exact: true })
  t.same(await get('/v1/tokens/count/by-identity?state=active'), {
    identities: [
      { identity: admin.identity, active: 2, revoked: 0, exact: true },
      { identity: shop.identity, active: 2, revoked: 0, exact: true },
    ],
  })
  for (const path of ['?state=dead', '?label=a b', '?limit=0', '?cursor=x', '/count?limit=1']) {
    t.match(await api(asAdmin, 'GET', `/v1/tokens${path}`), { statusCode: 400 }, path)
  }
})

t.test('names the missing scope at every route', async (t) => {
  const { api, tokenWith } = await auth(t)
  const stranger = await tokenWith('subscribe:a')
  const wanted = [
    ['POST', '/v1/tokens', 'tokens:issue'],
    ['GET', '/v1/tokens?identity=x', 'tokens:read'],
    ['GET', '/v1/tokens/count', 'tokens:read'],
    ['GET', '/v1/tokens/count/by-identity', 'tokens:read'],
    ['GET', '/v1/connections', 'tokens:read'],
    ['GET', '/v1/tokens/0-AAAAAAAAAAAAAAAAAAAAAA', 'tokens:read'],
    ['POST', '/v1/revocations', 'tokens:revoke'],
    ['GET', '/v1/revocations', 'tokens:read'],
    ['GET', '/v1/revocations/0-AAAAAAAAAAAAAAAAAAAAAA', 'tokens:read'],
    ['POST', '/v1/introspections', 'introspect'],
    ['POST', '/v1/identities', 'identities:write'],
    ['GET', '/v1/identities', 'identities:read'],
    ['GET', '/v1/identities/x', 'identities:read'],
    ['PATCH', '/v1/identities/x', 'identities:write'],
    ['DELETE', '/v1/identities/x', 'identities:write'],
    ['POST', '/v1/identities/x/suspend', 'identities:write'],
    ['POST', '/v1/identities/x/resume', 'identities:write'],
    ['POST', '/v1/identities/x/registration-codes', 'identities:write'],
    ['DELETE', '/v1/identities/x/registration-codes/y', 'identities:write'],
    ['GET', '/v1/nodes', 'nodes:read'],
    ['GET', '/v1/feed', 'feed'],
  ] as const
  for (const [method, path, scope] of wanted) {
    const answer = await api(stranger, method, path)
    t.equal(answer.statusCode, 403, `${method} ${path}`)
    t.match(answer.headers['www-authenticate'], `error="insufficient_scope", scope="${scope}"`)
    t.match(answer.json().detail, scope)
  }
})
