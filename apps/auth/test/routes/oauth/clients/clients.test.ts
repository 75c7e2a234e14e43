import t from 'tap'
import { type Auth, auth } from '../../../fixtures/auth.js'
import { claims, clientKey } from '../../../fixtures/client-key.js'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

function at(registered: { registration_client_uri: string }): string {
  return new URL(registered.registration_client_uri).pathname
}

async function tokenStatus(self: Auth, client_id: string, client_secret: string) {
  const form = { grant_type: 'client_credentials', client_id, client_secret }
  return (await self.form('/oauth/token', form)).statusCode
}

t.test('registers, reads, changes and deletes a client', async (t) => {
  const self = await auth(t)
  const { app, api, tokenWith } = self
  const registrar = await tokenWith('identities:write', 'subscribe:*', 'introspect')
  const metadata = { client_name: 'the shop', scope: 'subscribe:a introspect', contacts: ['x'] }
  const answer = await api(registrar, 'POST', '/oauth/register', metadata)
  t.equal(answer.statusCode, 201, answer.body)
  t.equal(answer.headers['cache-control'], 'no-store')
  const registered = answer.json()
  t.match(registered, {
    client_id: /^client-.{22}$/,
    client_id_issued_at: Number,
    client_secret: /^.{43}$/,
    client_secret_expires_at: 0,
    registration_access_token: /^.{43}$/,
    client_name: 'the shop',
    scope: 'subscribe:a introspect',
    grant_types: ['client_credentials'],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
  })
  t.notHas(registered, 'contacts', 'ignores unknown metadata')
  const { client_id, client_secret, registration_access_token: own } = registered
  t.equal(registered.registration_client_uri, `http://127.0.0.1:4000/oauth/register/${client_id}`)
  const { client_secret: _, client_secret_expires_at: __, ...shown } = registered
  t.same((await api(own, 'GET', at(registered))).json(), shown, 'does not show the secret again')
  t.equal(await tokenStatus(self, client_id, client_secret), 200)

  const smaller = { client_id, client_secret, client_name: null, scope: 'subscribe:a' }
  const changed = await api(own, 'PUT', at(registered), smaller)
  t.equal(changed.statusCode, 200, changed.body)
  const { client_name: ___, ...rest } = shown
  t.same(changed.json(), { ...rest, scope: 'subscribe:a' })
  t.equal(await tokenStatus(self, client_id, client_secret), 200, 'keeps the secret valid')

  const token = await self.token({ identity: client_id, registrationCode: client_secret })
  const deleted = await api(own, 'DELETE', at(registered))
  t.match([deleted.statusCode, deleted.body], [204, ''])
  t.equal((await api(own, 'GET', at(registered))).statusCode, 401)
  t.equal(await tokenStatus(self, client_id, client_secret), 401)
  const admin = await self.token()
  const introspected = await api(admin, 'POST', '/v1/introspections', { tokens: [token] })
  t.same(introspected.json().results, [{ active: false }])
  const { revocations } = (await api(admin, 'GET', '/v1/revocations')).json()
  t.match(revocations[0], { selector: { identity: client_id }, tokens: 3 })
  t.match(
    (await app.inject('/metrics')).body,
    'portcullis_auth_revocations_total{selector="identity"} 1',
  )
})

t.test('shows a client to administrators as an identity, without its secrets', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const body = { client_name: 'the shop', scope: 'subscribe:a' }
  const registered = (await self.api(admin, 'POST', '/oauth/register', body)).json()
  const shown = await self.api(admin, 'GET', `/v1/identities/${registered.client_id}`)
  t.match(shown.json(), {
    scopes: ['subscribe:a'],
    client: { client_name: 'the shop', token_endpoint_auth_method: 'client_secret_basic' },
  })
  const { redis } = self.app.registry
  for (const key of await redis.keys(`*${self.prefix}*`)) {
    const dump = await redis.dumpBuffer(key)
    for (const secret of [registered.client_secret, registered.registration_access_token]) {
      t.notOk(dump?.includes(secret), key)
    }
  }
  t.notMatch(self.logs(), registered.registration_access_token)
})

t.test('rejects a client with scopes beyond those of its registrar', async (t) => {
  const self = await auth(t)
  const ask = (token: string | undefined, scope?: string) =>
    self.api(token, 'POST', '/oauth/register', scope === undefined ? {} : { scope })
  const none = await ask(undefined)
  t.match([none.statusCode, none.json().error], [401, 'invalid_token'])
  t.match(none.headers['www-authenticate'], /^Bearer/)
  const lacking = await ask(await self.tokenWith('identities:read'))
  t.match([lacking.statusCode, lacking.json().error], [403, 'insufficient_scope'])
  const registrar = await self.tokenWith('identities:write', 'subscribe:team:*')
  for (const scope of ['admin', 'subscribe:*', 'publish:team:a', 'subscribe:team:a feed']) {
    const answer = await ask(registrar, scope)
    t.match([answer.statusCode, answer.json().error], [403, 'insufficient_scope'], scope)
  }
  t.equal((await ask(registrar, 'subscribe:team:a')).statusCode, 201)
  t.equal((await ask(registrar)).json().scope, '', 'registers a client without scopes by default')
})

t.test('rejects unsupported metadata and says what to change', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const { jwk } = await clientKey()
  const cases: [object, RegExp][] = [
    [{ jwks_uri: 'https://x.example/jwks' }, /jwks_uri is not supported/],
    [{ token_endpoint_auth_method: 'none' }, /must be one of client_secret_basic/],
    [{ token_endpoint_auth_method: 'client_secret_jwt' }, /must be one of/],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, /needs the public keys/],
    [{ jwks: { keys: [{ ...jwk, d: 'x' }] } }, /belongs to a private key/],
    [{ jwks: { keys: [] } }, /jwks/],
    [{ grant_types: ['authorization_code'] }, /grant_types must be some of client_credentials/],
    [{ response_types: ['code'] }, /no authorization endpoint/],
    [{ scope: 'nonsense' }, /known scopes/],
    [{ client_name: 'a\nb' }, /client_name/],
    [{ client_name: 'x'.repeat(129) }, /client_name/],
    [[], /object/],
  ]
  for (const [metadata, message] of cases) {
    const answer = await self.api(admin, 'POST', '/oauth/register', metadata)
    t.match(
      [answer.statusCode, answer.json().error],
      [400, 'invalid_client_metadata'],
      JSON.stringify(metadata),
    )
    t.match(answer.json().error_description.replaceAll('?', "'"), message)
  }
  const redirect = { redirect_uris: ['https://x.example/cb'] }
  const redirected = await self.api(admin, 'POST', '/oauth/register', redirect)
  t.match([redirected.statusCode, redirected.json().error], [400, 'invalid_redirect_uri'])
  const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' }
  const url = '/oauth/register'
  const broken = await self.app.inject({ method: 'POST', url, headers, payload: '{' })
  t.match([broken.statusCode, broken.json().error], [400, 'invalid_client_metadata'])
})

t.test('gives a client access only to its own registration, without new scopes', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const register = async () =>
    (await self.api(admin, 'POST', '/oauth/register', { scope: 'subscribe:*' })).json()
  const [mine, theirs] = [await register(), await register()]
  const own = mine.registration_access_token
  const { client_id } = mine
  const made = await self.identity(['feed'])
  const tokens = [undefined, admin, theirs.registration_access_token, mine.client_secret, 'x']
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const body = method === 'PUT' ? { client_id: 1 } : undefined
    for (const token of tokens) {
      const answer = await self.api(token, method, at(mine), body)
      t.match(
        [answer.statusCode, answer.json().error],
        [401, 'invalid_token'],
        `${method} ${token}`,
      )
      t.match(answer.headers['www-authenticate'], /^Bearer/)
    }
    for (const name of ['unknown', 'admin', made.identity]) {
      const answer = await self.api(own, method, `/oauth/register/${name}`, body)
      t.equal(answer.statusCode, 401, `${method} ${name}`)
    }
  }
  const refused: [object, RegExp][] = [
    [{}, /client_id/],
    [{ client_id: theirs.client_id }, /client_id/],
    [{ client_id, client_secret: 'wrong' }, /client_secret/],
    [{ client_id, registration_access_token: own }, /registration_access_token/],
    [{ client_id, registration_client_uri: 'x' }, /registration_client_uri/],
    [{ client_id, client_id_issued_at: 1 }, /client_id_issued_at/],
    [{ client_id, client_secret_expires_at: 1 }, /client_secret_expires_at/],
    [{ client_id, scope: 'subscribe:* feed' }, /does not have the scope feed/],
    [{ client_id, scope: 'admin' }, /does not have the scope admin/],
  ]
  for (const [body, message] of refused) {
    const answer = await self.api(own, 'PUT', at(mine), body)
    t.match([answer.statusCode, answer.json().error], [400, 'invalid_client_metadata'])
    t.match(answer.json().error_description, message)
  }
  t.equal((await self.api(own, 'GET', at(mine))).json().scope, 'subscribe:*', 'changed nothing')

  await self.api(admin, 'POST', `/v1/identities/${client_id}/suspend`)
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const body = method === 'PUT' ? { client_id } : undefined
    const answer = await self.api(own, method, at(mine), body)
    t.match([answer.statusCode, answer.json().error], [403, 'unauthorized_client'], method)
  }
})

t.test(
  'removes the secret of a client that changes to private_key_jwt, and issues one if it changes back',
  async (t) => {
    const self = await auth(t)
    const key = await clientKey()
    const registered = (await self.api(await self.token(), 'POST', '/oauth/register', {})).json()
    const { client_id, client_secret, registration_access_token: own } = registered
    const keys = { jwks: { keys: [key.jwk] } }
    const put = async (more: object) =>
      (await self.api(own, 'PUT', at(registered), { client_id, ...more })).json()
    const signing = await put({ token_endpoint_auth_method: 'private_key_jwt', ...keys })
    t.match(signing, { jwks: keys.jwks, token_endpoint_auth_method: 'private_key_jwt' })
    t.notHas(signing, 'client_secret')
    t.equal(await tokenStatus(self, client_id, client_secret), 401)
    const assertion = await key.sign(claims(client_id))
    const signed = await self.form('/oauth/token', {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    })
    t.equal(signed.statusCode, 200)
    const back = await put({ token_endpoint_auth_method: 'client_secret_post' })
    t.match(back, { client_secret: /^.{43}$/, client_secret_expires_at: 0 })
    t.notHas(back, 'jwks', 'removes a member that is absent')
    t.equal(await tokenStatus(self, client_id, back.client_secret), 200)
    t.equal(
      await tokenStatus(self, client_id, client_secret),
      401,
      'does not restore the first secret',
    )
  },
)

t.test('rejects grants that a client has not registered', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const register = { scope: 'tokens:issue subscribe:a', grant_types: [exchange] }
  const { client_id, client_secret } = (
    await self.api(admin, 'POST', '/oauth/register', register)
  ).json()
  const form = { client_id, client_secret }
  const other = await self.form('/oauth/token', { ...form, grant_type: 'client_credentials' })
  t.match([other.statusCode, other.json().error], [400, 'unauthorized_client'])
  const own = await self.form('/oauth/token', { ...form, grant_type: exchange })
  t.match(own.json(), { error: 'invalid_request', error_description: /subject_token/ })
})
