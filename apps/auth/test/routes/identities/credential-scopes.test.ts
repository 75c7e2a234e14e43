import t from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'
import { claims, clientKey } from '../../fixtures/client-key.js'

/** Requests a token with these credentials, and returns its scopes. */
async function scopeFor(self: Auth, fields: Record<string, string>): Promise<string> {
  const answer = await self.form('/oauth/token', { grant_type: 'client_credentials', ...fields })
  if (answer.statusCode !== 200) {
    throw new Error(answer.body)
  }
  return answer.json().scope
}

const codesOf = (identity: string) => `/v1/identities/${identity}/registration-codes`

t.test('does not restore a removed code of the administrator at a start', async (t) => {
  const self = await auth(t)
  const leaked = self.admin
  const rotated = await self.api(await self.token(), 'POST', codesOf('admin'), {
    expireOthersInSeconds: 0,
  })
  const current = { identity: 'admin', registrationCode: rotated.json().registrationCode }
  await t.rejects(self.token(leaked), /invalid_client/)

  const restarted = await self.another()
  await t.rejects(
    restarted.token(leaked),
    /invalid_client/,
    'rejects the code that is still in the configuration',
  )
  t.match(restarted.logs(), /ADMIN_REGISTRATION_CODE was removed .*set it to the current code/)
  t.notMatch(restarted.logs(), leaked.registrationCode)
  const admin = await restarted.token(current)

  // One code is removed by its id, the other expires.
  const second = (await self.api(admin, 'POST', codesOf('admin'), {})).json()
  await self.another({ ADMIN_REGISTRATION_CODE: second.registrationCode })
  t.equal((await self.api(admin, 'DELETE', `${codesOf('admin')}/${second.id}`)).statusCode, 204)
  const third = (await self.api(admin, 'POST', codesOf('admin'), { ttlSeconds: 1 })).json()
  while ((await self.api(admin, 'GET', '/v1/identities/admin')).json().registrationCodes[1]) {}
  for (const { registrationCode } of [second, third]) {
    const again = await self.another({ ADMIN_REGISTRATION_CODE: registrationCode })
    await t.rejects(again.token({ identity: 'admin', registrationCode }), /invalid_client/)
  }
  t.type(await self.token(current), 'string')
})

t.test('does not restore a deleted administrator at a start', async (t) => {
  const self = await auth(t)
  const ops = await self.identity(['admin'])
  const elsewhere = await self.another({
    ADMIN_IDENTITY: ops.identity,
    ADMIN_REGISTRATION_CODE: ops.registrationCode,
  })
  const asOps = await elsewhere.token(ops)
  t.equal((await elsewhere.api(asOps, 'DELETE', '/v1/identities/admin')).statusCode, 204)
  await self.another()
  t.equal((await elsewhere.api(asOps, 'GET', '/v1/identities/admin')).statusCode, 404)
})

t.test('limits a credential to the scopes of its creator', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const registrar = await self.tokenWith('identities:write', 'introspect', 'subscribe:a')
  const [key, adminsKey] = [await clientKey(), await clientKey()]
  const body = { identity: 'svc', scopes: ['introspect'], jwks: { keys: [key.jwk] } }
  const made = (await self.api(registrar, 'POST', '/v1/identities', body)).json()
  const added = (await self.api(registrar, 'POST', codesOf('svc'), {})).json()
  const byAdmin = (await self.api(admin, 'POST', codesOf('svc'), {})).json()
  const grown = ['introspect', 'subscribe:a', 'tokens:issue', 'tokens:read', 'publish:*']
  await self.api(admin, 'PATCH', '/v1/identities/svc', { scopes: grown })

  const basic = (registrationCode: string) => ({
    client_id: 'svc',
    client_secret: registrationCode,
  })
  const signed = async (by: typeof key) => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await by.sign(claims('svc')),
  })
  const least = 'introspect subscribe:a'
  t.equal(await scopeFor(self, basic(made.registrationCode)), least, 'limits the first code')
  t.equal(await scopeFor(self, basic(added.registrationCode)), least, 'limits a further code')
  t.equal(await scopeFor(self, await signed(key)), least, 'limits a key')
  t.equal(await scopeFor(self, basic(byAdmin.registrationCode)), grown.join(' '))
  await t.rejects(
    scopeFor(self, { ...basic(made.registrationCode), scope: 'tokens:read' }),
    /invalid_scope.*ask an administrator for the scope or a new code/,
  )
  const exchange = await self.form('/oauth/token', {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    ...(await signed(key)),
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: await key.sign(claims('svc', { sub: 'ada' })),
    scope: 'publish:x',
  })
  t.equal(exchange.json().error, 'unauthorized_client', 'limits what it may issue to users')

  const { registrationCodes } = (await self.api(admin, 'GET', '/v1/identities/svc')).json()
  t.match(registrationCodes, [
    { scopes: ['identities:write', 'introspect', 'subscribe:a'] },
    {},
    {},
  ])
  t.notOk('scopes' in registrationCodes[2], 'does not limit a code of an administrator')

  const refused = await self.api(registrar, 'POST', codesOf('svc'), {})
  t.equal(
    refused.statusCode,
    403,
    'refuses a code of a creator with fewer scopes than the identity',
  )
  await self.api(admin, 'PATCH', '/v1/identities/svc', { jwks: { keys: [adminsKey.jwk] } })
  t.equal(await scopeFor(self, await signed(adminsKey)), grown.join(' '))
})

t.test("lets a code that its own identity created use the identity's templates", async (t) => {
  const self = await auth(t)
  const scopes = ['identities:write', 'tokens:issue', 'subscribe:u:{sub}']
  const shop = await self.identity(scopes)
  const own = await self.token(shop)
  const added = (await self.api(own, 'POST', codesOf(shop.identity), {})).json()
  const { registrationCode } = added
  const fields = { client_id: shop.identity, client_secret: registrationCode }
  t.equal(await scopeFor(self, fields), scopes.join(' '))
  await self.api(await self.token(), 'PATCH', `/v1/identities/${shop.identity}`, {
    scopes: [...scopes, 'admin'],
  })
  t.equal(await scopeFor(self, fields), scopes.join(' '))
})

t.test('limits a registration access token to its scopes at registration', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const registrar = await self.tokenWith('identities:write', 'introspect')
  const client = (
    await self.api(registrar, 'POST', '/oauth/register', { scope: 'introspect' })
  ).json()
  const { client_id: id, registration_access_token: token } = client
  const scopes = ['introspect', 'tokens:revoke']
  await self.api(admin, 'PATCH', `/v1/identities/${id}`, { scopes })
  t.equal(
    await scopeFor(self, { client_id: id, client_secret: client.client_secret }),
    'introspect',
    'limits the secret too',
  )
  const path = `/oauth/register/${id}`
  t.equal((await self.api(token, 'GET', path)).json().scope, 'introspect')
  const more = { client_id: id, scope: scopes.join(' ') }
  t.equal((await self.api(token, 'PUT', path, more)).json().error, 'invalid_client_metadata')
  const key = await clientKey()
  const change = {
    client_id: id,
    scope: 'introspect',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key.jwk] },
  }
  t.equal((await self.api(token, 'PUT', path, change)).statusCode, 200)
  const back = await self.api(token, 'PUT', path, {
    client_id: id,
    scope: 'introspect',
    jwks: change.jwks,
  })
  await self.api(admin, 'PATCH', `/v1/identities/${id}`, { scopes })
  const assertion = {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await key.sign(claims(id)),
  }
  t.equal(await scopeFor(self, assertion), 'introspect', 'limits a key that it added')
  const secret = { client_id: id, client_secret: back.json().client_secret }
  t.equal(await scopeFor(self, secret), 'introspect', 'limits a secret that it added')
})

t.test('rejects every change that would lock out the configured administrator', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const other = await self.identity(['admin'])
  const identity = '/v1/identities/admin'
  const codes = codesOf('admin')
  const [first] = (await self.api(admin, 'GET', identity)).json().registrationCodes
  const key = await clientKey()
  const refused = async (method: 'PATCH' | 'POST' | 'DELETE', path: string, body?: object) => {
    const answer = await self.api(admin, method, path, body)
    t.match(
      answer.json(),
      { status: 409, code: 'last_administrator', detail: /ADMIN_IDENTITY/ },
      `${method} ${path} ${JSON.stringify(body)}`,
    )
  }
  await refused('PATCH', identity, { scopes: [] })
  await refused('PATCH', identity, { scopes: ['identities:write', 'subscribe:*'] })
  await refused('POST', `${identity}/suspend`)
  await refused('DELETE', identity)
  await refused('DELETE', `${codes}/${first.id}`)
  await refused('POST', codes, { expireOthersInSeconds: 0, ttlSeconds: 1 })
  await refused('POST', codes, { expireOthersInSeconds: 3600, ttlSeconds: 7200 })
  t.match((await self.api(admin, 'GET', identity)).json(), {
    state: 'active',
    scopes: ['admin'],
    registrationCodes: [first],
  })

  t.equal((await self.api(admin, 'PATCH', identity, { scopes: ['admin', 'feed'] })).statusCode, 200)
  t.equal((await self.api(admin, 'PATCH', identity, { labels: ['x'] })).statusCode, 200)
  t.equal((await self.api(admin, 'POST', codes, { ttlSeconds: 60 })).statusCode, 201)
  await refused('DELETE', `${codes}/${first.id}`)
  await self.api(admin, 'PATCH', identity, { jwks: { keys: [key.jwk] } })
  t.equal(
    (await self.api(admin, 'DELETE', `${codes}/${first.id}`)).statusCode,
    204,
    'allows it while a key remains',
  )
  await refused('PATCH', identity, { jwks: null })

  for (const path of [`${codesOf(other.identity)}/x`, `/v1/identities/${other.identity}`]) {
    t.not(
      (await self.api(admin, 'DELETE', path)).statusCode,
      409,
      'allows it for any other administrator',
    )
  }
})
