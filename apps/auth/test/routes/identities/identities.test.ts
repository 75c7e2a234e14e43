import t from 'tap'
import { auth } from '../../fixtures/auth.js'

t.test('registers, reads, lists, changes and deletes an identity', async (t) => {
  const { api, token } = await auth(t)
  const admin = await token()
  const body = {
    identity: 'shop',
    scopes: ['subscribe:a'],
    labels: ['team:web'],
    tokenTtlSeconds: 60,
  }
  const registered = await api(admin, 'POST', '/v1/identities', body)
  t.equal(registered.statusCode, 201)
  t.equal(registered.headers.location, '/v1/identities/shop')
  t.match(registered.json(), { ...body, state: 'active', registrationCode: /^.{43}$/ })

  const shown = await api(admin, 'GET', '/v1/identities/shop')
  t.match(shown.json(), body)
  t.notHas(shown.json(), 'registrationCode')
  const list = await api(admin, 'GET', '/v1/identities?limit=1')
  t.same(
    list.json().identities.map(({ identity }: { identity: string }) => identity),
    ['admin'],
  )
  const next = await api(admin, 'GET', `/v1/identities?limit=1&cursor=${list.json().cursor}`)
  t.same(
    next.json().identities.map(({ identity }: { identity: string }) => identity),
    ['shop'],
  )

  const changed = await api(admin, 'PATCH', '/v1/identities/shop', { tokenTtlSeconds: null })
  t.notHas(changed.json(), 'tokenTtlSeconds')
  t.match(changed.json(), { scopes: ['subscribe:a'], labels: ['team:web'] })

  const deleted = await api(admin, 'DELETE', '/v1/identities/shop')
  t.equal(deleted.statusCode, 204)
  t.match(deleted.headers.location, /^\/v1\/revocations\/0-/)
  t.equal((await api(admin, 'GET', '/v1/identities/shop')).statusCode, 404)
})

t.test('adds, rotates and removes registration codes', async (t) => {
  const { api, token, identity } = await auth(t)
  const admin = await token()
  const shop = await identity([])
  const path = `/v1/identities/${shop.identity}/registration-codes`
  const added = (await api(admin, 'POST', path)).json()
  const credentials = { identity: shop.identity, registrationCode: added.registrationCode }
  t.type(await token(credentials), 'string', 'accepts the new code')
  t.type(await token(shop), 'string', 'still accepts the old code')

  const rotated = await api(admin, 'POST', path, { expireOthersInSeconds: 0 })
  t.equal(rotated.statusCode, 201)
  await t.rejects(token(credentials), /invalid_client/)
  await t.rejects(token(shop), /invalid_client/)

  const { id, registrationCode } = rotated.json()
  t.equal((await api(admin, 'DELETE', `${path}/${id}`)).statusCode, 204)
  await t.rejects(token({ identity: shop.identity, registrationCode }), /invalid_client/)
  t.equal((await api(admin, 'DELETE', `${path}/${id}`)).json().code, 'code_not_found')
})

t.test('revokes and refuses tokens of a suspended identity until it is resumed', async (t) => {
  const { api, token, identity } = await auth(t)
  const admin = await token()
  const shop = await identity(['nodes:read'])
  const old = await token(shop)
  const path = `/v1/identities/${shop.identity}`
  const suspended = await api(admin, 'POST', `${path}/suspend`, { reason: 'abuse' })
  t.match(suspended.json(), {
    identity: { state: 'suspended' },
    revocation: {
      tokens: 1,
      complete: true,
      reason: 'abuse',
      selector: { identity: shop.identity },
    },
  })
  t.equal((await api(old, 'GET', '/v1/nodes')).statusCode, 401)
  t.equal((await api(admin, 'POST', `${path}/resume`)).json().state, 'active')
  t.equal((await api(old, 'GET', '/v1/nodes')).statusCode, 401, 'keeps revoked tokens revoked')
  t.equal((await api(await token(shop), 'GET', '/v1/nodes')).statusCode, 200)
})

t.test('rejects callers that grant or gain scopes beyond their own', async (t) => {
  const { api, identity, tokenWith } = await auth(t)
  const chief = await identity(['tokens:revoke', 'subscribe:*'])
  const lesser = await identity(['subscribe:team:a'])
  const caller = await tokenWith('identities:write', 'identities:read', 'subscribe:team:*')
  const refused = async (method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) => {
    const answer = await api(caller, method, `/v1/identities${path}`, body)
    t.equal(answer.statusCode, 403, `${method} ${path} ${JSON.stringify(body)}`)
    t.equal(answer.json().code, 'insufficient_scope')
  }
  for (const scope of ['admin', 'tokens:revoke', 'subscribe:*', 'publish:team:a']) {
    await refused('POST', '', { identity: 'new', scopes: ['subscribe:team:a', scope] })
  }
  await refused('PATCH', `/${lesser.identity}`, { scopes: ['admin'] })
  for (const above of ['admin', chief.identity]) {
    await refused('PATCH', `/${above}`, { scopes: [] })
    await refused('PATCH', `/${above}`, { labels: ['x'] })
    await refused('DELETE', `/${above}`)
    await refused('POST', `/${above}/registration-codes`, {})
    await refused('DELETE', `/${above}/registration-codes/x`)
    await refused('POST', `/${above}/suspend`)
    await refused('POST', `/${above}/resume`)
  }
  const body = { identity: 'new', scopes: ['subscribe:team:b', 'subscribe:team:*'] }
  t.equal((await api(caller, 'POST', '/v1/identities', body)).statusCode, 201)
  const below = `/v1/identities/${lesser.identity}`
  t.equal((await api(caller, 'PATCH', below, { scopes: ['subscribe:team:x'] })).statusCode, 200)
  t.equal((await api(caller, 'POST', `${below}/suspend`)).statusCode, 200)
})

t.test("limits an administrator's token with fewer scopes to those scopes", async (t) => {
  const { api, token, admin } = await auth(t)
  const narrow = await token(admin, 'identities:write')
  const answer = await api(narrow, 'POST', '/v1/identities', { identity: 'x', scopes: ['admin'] })
  t.equal(answer.statusCode, 403)
})

t.test('has a stable code for each conflict and missing identity', async (t) => {
  const { api, token } = await auth(t)
  const admin = await token()
  const problem = async (method: 'GET' | 'POST', path: string, body?: object) => {
    const answer = await api(admin, method, `/v1/identities${path}`, body)
    t.match(answer.headers['content-type'], /^application\/problem\+json/)
    return `${answer.statusCode} ${answer.json().code}`
  }
  t.equal(await problem('POST', '', { identity: 'admin', scopes: [] }), '409 identity_exists')
  t.equal(await problem('GET', '/unknown'), '404 identity_not_found')
  t.equal(await problem('POST', '/unknown/suspend'), '404 identity_not_found')
  t.equal(await problem('GET', '?cursor=%20'), '400 bad_cursor')
})

t.test('rejects an invalid body and names the field and the expected value', async (t) => {
  const { api, token } = await auth(t)
  const admin = await token()
  const detail = async (body: object) => {
    const answer = await api(admin, 'POST', '/v1/identities', body)
    t.equal(answer.statusCode, 400, JSON.stringify(body))
    t.equal(answer.json().code, 'invalid_request')
    return answer.json().detail
  }
  const good = { identity: 'x', scopes: [] }
  t.match(await detail({ identity: 'x' }), /^body: scopes is missing/)
  t.match(
    await detail({ ...good, identity: '*' }),
    /^body: identity must be an identity \(client_id\): 1 to 128 letters/,
  )
  t.match(await detail({ ...good, scopes: ['nonsense'] }), /^body: scopes\.0 must be a scope/)
  t.match(
    await detail({ ...good, tokenTtlSeconds: '60' }),
    /^body: tokenTtlSeconds must be an integer/,
    'does not convert text to a number',
  )
  t.match(await detail({ ...good, surprise: 1 }), /^body: surprise is not a known member/)
  t.match(await detail([]), /^body must be an object/)
  const query = await api(admin, 'GET', '/v1/identities?limit=many')
  t.match(query.json().detail, /^query: limit must be an integer/)
  t.equal((await api(admin, 'GET', '/v1/identities?other=1')).statusCode, 400)
  t.equal((await api(admin, 'GET', '/v1/identities?limit=1&limit=2')).statusCode, 400)
})

t.test("replaces {sub} by the caller's subject in scopes for others", async (t) => {
  const { api, token, tokenWith, identity } = await auth(t)
  const admin = await token()
  const shop = await identity([
    'identities:write',
    'tokens:issue',
    'subscribe:user:{sub}',
    'subscribe:odd:{*',
  ])
  const own = await token(shop)
  const user = await api(own, 'POST', '/v1/tokens', {
    subject: 'ada',
    scope: 'identities:write tokens:issue subscribe:user:{sub}',
  })
  const ada = user.json().access_token
  const give = async (caller: string, name: string, ...scopes: string[]) => {
    const answer = await api(caller, 'POST', '/v1/identities', { identity: name, scopes })
    const register = await api(caller, 'POST', '/oauth/register', { scope: scopes.join(' ') })
    return [answer.statusCode, register.statusCode]
  }
  t.same(await give(own, 'victim', 'subscribe:user:{sub}'), [403, 403])
  t.same(await give(own, 'victim', 'tokens:issue', 'subscribe:user:{sub}'), [403, 403])
  t.same(await give(own, 'odd', 'subscribe:odd:{sub}'), [403, 403], '{* does not cover {sub}')
  t.same(await give(ada, 'victim', 'subscribe:user:{sub}'), [403, 403])
  t.same(await give(ada, 'a', 'subscribe:user:ada'), [201, 201], "grants the caller's own channel")
  t.same(await give(own, 'b', `subscribe:user:${shop.identity}`), [201, 201])
  t.same(
    await give(
      await tokenWith('identities:write', 'subscribe:user:*'),
      'c',
      'subscribe:user:{sub}',
    ),
    [201, 201],
  )
  t.same(await give(admin, 'd', 'subscribe:user:{sub}'), [201, 201])

  const path = `/v1/identities/${shop.identity}`
  const labels = { labels: ['x'] }
  t.equal((await api(own, 'PATCH', path, labels)).statusCode, 200, 'changes its own identity')
  t.equal((await api(ada, 'PATCH', path, labels)).statusCode, 403)
  t.equal((await api(own, 'PATCH', '/v1/identities/d', labels)).statusCode, 403)
  t.equal((await api(own, 'POST', '/v1/identities/d/registration-codes', {})).statusCode, 403)
  t.equal((await api(own, 'POST', '/v1/identities/d/suspend')).statusCode, 403)

  const issue = (caller: string, subject: string, scope: string) =>
    api(caller, 'POST', '/v1/tokens', { subject, scope })
  t.equal(
    (await issue(own, 'bob', 'subscribe:user:{sub}')).statusCode,
    201,
    'issues {sub} to its own users',
  )
  t.equal((await issue(own, 'bob', 'subscribe:user:bob')).statusCode, 201)
  t.equal(
    (await issue(ada, 'bob', 'subscribe:user:{sub}')).statusCode,
    400,
    'does not issue {sub} of one user to another',
  )
  t.equal((await issue(ada, 'ada', 'subscribe:user:{sub}')).statusCode, 201)
})

t.test('does not turn a channel of one subject into a template', async (t) => {
  const self = await auth(t)
  const scopes = ['identities:write', 'tokens:issue', 'subscribe:user:shop']
  const body = { identity: 'shop', scopes }
  const shop = (await self.api(await self.token(), 'POST', '/v1/identities', body)).json()
  const template = 'identities:write tokens:issue subscribe:user:{sub}'
  await t.rejects(self.token(shop, template), /invalid_scope/, 'rejects it for its own token')
  const own = await self.token(shop)
  const wider = { scopes: template.split(' ') }
  t.equal((await self.api(own, 'PATCH', '/v1/identities/shop', wider)).statusCode, 403)

  const registered = await self.api(await self.token(), 'POST', '/oauth/register', {
    scope: 'tokens:issue subscribe:user:x',
  })
  const { client_id, registration_access_token } = registered.json()
  await self.api(await self.token(), 'PATCH', `/v1/identities/${client_id}`, {
    scopes: ['tokens:issue', `subscribe:user:${client_id}`],
  })
  const put = await self.api(registration_access_token, 'PUT', `/oauth/register/${client_id}`, {
    client_id,
    scope: 'tokens:issue subscribe:user:{sub}',
  })
  t.equal(put.json().error, 'invalid_client_metadata', 'rejects it for a registration')
})
