import t from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'
import { claims, clientKey, type TestClientKey } from '../../fixtures/client-key.js'

const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
const types = {
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
}

interface Backend {
  self: Auth
  key: TestClientKey
  shop: Awaited<ReturnType<Auth['identity']>>
}

async function backend(self: Auth, scopes: string[], more = {}): Promise<Backend> {
  const key = await clientKey()
  const jwks = { keys: [key.jwk] }
  return { self, key, shop: await self.identity(scopes, { jwks, ...more }) }
}

/** Requests a token for a user, with a new subject token unless `fields` has one. */
async function exchange({ self, key, shop }: Backend, sub: string, fields = {}) {
  const form = new URLSearchParams({
    grant_type,
    client_id: shop.identity,
    client_secret: shop.registrationCode,
    subject_token: await key.sign(claims(shop.identity, { sub })),
    subject_token_type: types.jwt,
  })
  for (const [name, value] of Object.entries(fields)) {
    form.delete(name)
    for (const item of [value].flat()) {
      form.append(name, String(item))
    }
  }
  return self.form('/oauth/token', form.toString())
}

t.test('issues a token for a user as /v1/tokens does', async (t) => {
  const self = await auth(t)
  const shop = await backend(self, ['tokens:issue', 'subscribe:user:{sub}'], {
    tokenTtlSeconds: 60,
  })
  const answer = await exchange(shop, 'ann')
  t.equal(answer.statusCode, 200, answer.body)
  t.match(answer.json(), {
    token_type: 'Bearer',
    issued_token_type: types.accessToken,
    expires_in: 60,
    scope: 'subscribe:user:{sub}',
  })
  t.equal((await exchange(shop, 'ann', { expires_in: 30 })).json().expires_in, 30)
  const { access_token } = answer.json()
  const asked = { tokens: [access_token] }
  const [active] = (await self.api(await self.token(), 'POST', '/v1/introspections', asked)).json()
    .results
  t.match(active, { active: true, sub: 'ann', client_id: shop.shop.identity })
  const { body } = await self.app.inject('/metrics')
  t.match(body, 'portcullis_auth_tokens_issued_total{grant="token_exchange"} 2')
})

t.test('limits scopes as /v1/tokens does', async (t) => {
  const self = await auth(t)
  const shop = await backend(self, ['tokens:issue', 'subscribe:user:{sub}', 'introspect'])
  const scope = async (asked: string) => {
    const answer = await exchange(shop, 'ann', { scope: asked })
    return answer.json().scope ?? answer.json().error
  }
  t.equal(await scope('subscribe:user:ann'), 'subscribe:user:ann')
  t.equal(await scope('introspect'), 'introspect', 'allows a service scope if requested')
  for (const beyond of ['subscribe:user:bob', 'publish:user:ann', 'feed', 'admin', 'nonsense']) {
    t.equal(await scope(beyond), 'invalid_scope', beyond)
  }
  const none = await exchange(await backend(self, ['tokens:issue']), 'ann')
  t.equal(none.json().error, 'invalid_scope', 'rejects a client without channel scopes')
  const powerless = await exchange(await backend(self, ['subscribe:a']), 'ann')
  t.match([powerless.statusCode, powerless.json().error], [400, 'unauthorized_client'])
})

t.test('rejects every invalid subject token as invalid_request', async (t) => {
  const self = await auth(t)
  const shop = await backend(self, ['tokens:issue', 'subscribe:a'])
  const stranger = await backend(self, ['tokens:issue', 'subscribe:a'])
  const name = shop.shop.identity
  const used = await shop.key.sign(claims(name, { sub: 'ann' }))
  t.equal((await exchange(shop, '', { subject_token: used })).statusCode, 200)
  const sign = (more: object, header = {}) =>
    shop.key.sign(claims(name, { sub: 'ann', ...more }), header)
  const cases = {
    used,
    'with the client itself as subject, as in a client assertion': await sign({ sub: name }),
    'without a subject': await sign({ sub: undefined }),
    'with an invalid subject': await sign({ sub: 'a\nb' }),
    'of another issuer': await sign({ iss: 'admin' }),
    'without an issuer': await sign({ iss: undefined }),
    'for another audience': await sign({ aud: 'https://other.example' }),
    'of another client': await stranger.key.sign(claims(stranger.shop.identity, { sub: 'ann' })),
    'signed by another client': await stranger.key.sign(claims(name, { sub: 'ann' })),
    'of another type': await sign({}, { typ: 'client-authentication+jwt' }),
    expired: await sign({ exp: Math.floor(Date.now() / 1000) - 60 }),
    malformed: 'x',
  }
  for (const [reason, subject_token] of Object.entries(cases)) {
    const answer = await exchange(shop, '', { subject_token })
    t.match([answer.statusCode, answer.json().error], [400, 'invalid_request'], reason)
    t.match(answer.json().error_description, /the subject token is not valid/)
  }
})

t.test('rejects unsupported parameters instead of ignoring them', async (t) => {
  const self = await auth(t, { AUDIENCE: 'https://sockets.example' })
  const shop = await backend(self, ['tokens:issue', 'subscribe:a'])
  const error = async (fields: object) => (await exchange(shop, 'ann', fields)).json().error
  const ours = 'https://sockets.example'
  t.equal(await error({ audience: [ours, ours], resource: ours }), undefined)
  t.equal(await error({ requested_token_type: types.accessToken }), undefined)
  t.equal(await error({ audience: 'https://other.example' }), 'invalid_target')
  t.equal(await error({ audience: [ours, 'https://other.example'] }), 'invalid_target')
  t.equal(await error({ resource: 'https://other.example' }), 'invalid_target')
  t.equal(await error({ requested_token_type: types.jwt }), 'invalid_request')
  const refresh = 'urn:ietf:params:oauth:token-type:refresh_token'
  t.equal(await error({ requested_token_type: refresh }), 'invalid_request')
  t.equal(await error({ actor_token: 'x', actor_token_type: types.jwt }), 'invalid_request')
  t.equal(await error({ subject_token: [] }), 'invalid_request')
  t.equal(await error({ subject_token_type: [] }), 'invalid_request')
  t.equal(await error({ subject_token_type: [types.jwt, types.jwt] }), 'invalid_request')
  const idToken = 'urn:ietf:params:oauth:token-type:id_token'
  t.equal(
    await error({ subject_token_type: idToken }),
    'invalid_request',
    'rejects an unknown type',
  )
  const own = await self.token(shop.shop)
  const narrowing = { subject_token: own, subject_token_type: types.accessToken }
  t.equal(await error(narrowing), 'invalid_request', 'rejects an access token')
})
