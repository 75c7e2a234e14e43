import t from 'tap'
import { type Auth, auth } from '../fixtures/auth.js'
import { claims, clientKey, signedAs } from '../fixtures/client-key.js'
import { hmac, part } from '../fixtures/forge.js'

const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

function ask({ form }: Auth, client_assertion: string, more: Record<string, string> = {}) {
  const grant_type = 'client_credentials'
  return form('/oauth/token', {
    grant_type,
    client_assertion_type: type,
    client_assertion,
    ...more,
  })
}

t.test('authenticates an identity by a JWT, signed with any supported kind of key', async (t) => {
  const self = await auth(t)
  const keys = await Promise.all(['EdDSA', 'ES256', 'RS256', 'PS256'].map((alg) => clientKey(alg)))
  const { identity } = await self.identity(['feed'], { jwks: { keys: keys.map((key) => key.jwk) } })
  for (const key of keys) {
    const answer = await ask(self, await key.sign(claims(identity)))
    t.equal(answer.statusCode, 200, `${key.jwk.alg}: ${answer.body}`)
    t.match(answer.json(), { scope: 'feed' })
  }
  const [key] = keys
  for (const audience of ['http://127.0.0.1:4000/oauth/token', ['http://127.0.0.1:4000']]) {
    const text = (await key?.sign(claims(identity, { aud: audience }))) ?? ''
    t.equal((await ask(self, text, { client_id: identity })).statusCode, 200, String(audience))
  }
})

t.test(
  'rejects a JWT that the identity has not signed like one of an unknown identity',
  async (t) => {
    const self = await auth(t)
    const [key, rsa, other] = await Promise.all([clientKey(), clientKey('RS256'), clientKey()])
    const { identity } = await self.identity(['feed'], { jwks: { keys: [key.jwk, rsa.jwk] } })
    const { identity: without } = await self.identity(['feed'])
    const otherwise = await signedAs(rsa, 'PS256')
    const [, payload = ''] = (await key.sign(claims(identity))).split('.')
    const late = claims(identity, { exp: Math.floor(Date.now() / 1000) - 60 })
    const cases = {
      'of an unknown identity': await key.sign(claims('unknown')),
      'of an identity without keys': await key.sign(claims(without)),
      'of another issuer': await key.sign(claims(identity, { iss: 'admin' })),
      'signed with another key': await other.sign(claims(identity), { kid: key.jwk.kid }),
      'signed with another key, and expired': await other.sign(late, { kid: key.jwk.kid }),
      'naming an unknown key': await other.sign(claims(identity)),
      'with crit': await key.sign(claims(identity), {
        crit: ['b64'],
        b64: true,
      }),
      'with another algorithm than the key’s': await otherwise.sign(claims(identity)),
      'with an HMAC of the public key': hmac(
        JSON.stringify(key.jwk),
        { alg: 'HS256', kid: key.jwk.kid },
        claims(identity),
      ),
      unsigned: `${part({ alg: 'none' })}.${payload}.`,
      'not a JWT': 'x',
      'an access token of auth': await self.token(),
    }
    const bodies = new Set<string>()
    for (const [name, text] of Object.entries(cases)) {
      const answer = await ask(self, text)
      t.equal(answer.statusCode, 401, name)
      t.equal(answer.json().error, 'invalid_client', name)
      bodies.add(answer.body)
    }
    t.equal(bodies.size, 1, 'sends the same body for all of them')
    t.match([...bodies][0], /aud only http:\/\/127\.0\.0\.1:4000/, 'describes a valid assertion')
  },
)

t.test('tells the signer which rule its JWT breaks', async (t) => {
  const self = await auth(t)
  const key = await clientKey()
  const { identity } = await self.identity(['feed'], { jwks: { keys: [key.jwk] } })
  const now = Math.floor(Date.now() / 1000)
  const good = claims(identity)
  const used = await key.sign(good)
  t.equal((await ask(self, used)).statusCode, 200)
  const two = ['http://127.0.0.1:4000', 'https://other.example']
  const cases: [name: string, text: string, rule: RegExp][] = [
    ['used before', used, /jti was used/],
    ['with a used jti, signed again', await key.sign(good), /jti was used/],
    ['with another subject', await key.sign(claims(identity, { sub: 'admin' })), /sub must be/],
    [
      'for another recipient',
      await key.sign(claims(identity, { aud: two[1] })),
      /aud must be http/,
    ],
    ['for two recipients', await key.sign(claims(identity, { aud: two })), /one recipient/],
    ['without one', await key.sign(claims(identity, { aud: undefined })), /has no aud/],
    ['expired', await key.sign(claims(identity, { exp: now - 60 })), /exp has passed/],
    ['expiring too late', await key.sign(claims(identity, { exp: now + 3700 })), /3600 seconds/],
    ['without an expiry', await key.sign(claims(identity, { exp: undefined })), /has no exp/],
    ['not yet valid', await key.sign(claims(identity, { nbf: now + 60 })), /nbf lies in/],
    ['without a jti', await key.sign(claims(identity, { jti: undefined })), /has no jti/],
    ['with an empty jti', await key.sign(claims(identity, { jti: '' })), /jti must be text/],
    ['of another type', await key.sign(claims(identity), { typ: 'at+jwt' }), /typ must be/],
  ]
  for (const [name, text, rule] of cases) {
    const answer = await ask(self, text)
    t.equal(answer.statusCode, 401, name)
    t.match(answer.json(), { error: 'invalid_client', error_description: rule }, name)
  }
  const hour = await key.sign(claims(identity, { exp: now + 3600 }))
  t.equal((await ask(self, hour)).statusCode, 200, 'some libraries sign for an hour')
})

t.test('accepts a JWT once at all instances together', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const key = await clientKey()
  const { identity } = await self.identity([], { jwks: { keys: [key.jwk] } })
  const text = await key.sign(claims(identity))
  const answers = await Promise.all([self, other, self, other].map((at) => ask(at, text)))
  t.same(answers.map((answer) => answer.statusCode).sort(), [200, 401, 401, 401])
})

t.test('rejects two ways of authentication at once, and incomplete ones', async (t) => {
  const self = await auth(t)
  const key = await clientKey()
  const app = await self.identity([], { jwks: { keys: [key.jwk] } })
  const assertion = async () => key.sign(claims(app.identity))
  const basic = Buffer.from(`${app.identity}:${app.registrationCode}`).toString('base64')
  const both = await ask(self, await assertion(), { client_secret: app.registrationCode })
  t.match(both.json(), { error: 'invalid_request', error_description: /only one way/ })
  const form = { grant_type: 'client_credentials', client_assertion: await assertion() }
  const headers = { authorization: `Basic ${basic}` }
  const header = await self.form('/oauth/token', { ...form, client_assertion_type: type }, headers)
  t.match(header.json(), { error: 'invalid_request' })
  t.match((await self.form('/oauth/token', form)).json(), { error: 'invalid_request' })
  const saml = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }
  t.match((await ask(self, await assertion(), saml)).json(), { error: 'invalid_client' })
  const named = await ask(self, await assertion(), { client_id: 'admin' })
  t.match(named.json(), { error: 'invalid_client' })
  const bearer = { authorization: `Bearer ${await self.token()}` }
  const introspection = {
    token: 'x',
    client_assertion_type: type,
    client_assertion: await assertion(),
  }
  const answer = await self.form('/oauth/introspect', introspection, bearer)
  t.match(answer.json(), { error: 'invalid_request' })
})

t.test('counts invalid JWTs as failed authentications', async (t) => {
  const self = await auth(t, { TOKEN_FAILURES_PER_MINUTE: '2' })
  const key = await clientKey()
  const { identity } = await self.identity([], { jwks: { keys: [key.jwk] } })
  for (const _ of [1, 2]) {
    t.equal((await ask(self, 'x')).statusCode, 401)
  }
  t.equal((await ask(self, 'x')).statusCode, 429)
  t.equal(
    (await ask(self, await key.sign(claims(identity)))).statusCode,
    200,
    'accepts a valid one',
  )
})

t.test('uses the current keys of the identity, and says when it is suspended', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const [old, next] = await Promise.all([clientKey(), clientKey('ES256')])
  const { identity } = await self.identity([], { jwks: { keys: [old.jwk] } })
  const path = `/v1/identities/${identity}`
  const status = async (key: typeof old) =>
    (await ask(self, await key.sign(claims(identity)))).statusCode
  t.same([await status(old), await status(next)], [200, 401])
  const both = { jwks: { keys: [next.jwk, old.jwk] } }
  const changed = await self.api(admin, 'PATCH', path, both)
  t.match(changed.json().jwks, { keys: [{ ...next.jwk, use: 'sig' }, old.jwk] })
  t.same([await status(old), await status(next)], [200, 200])
  await self.api(admin, 'PATCH', path, { labels: ['x'] })
  t.same((await self.api(admin, 'GET', path)).json().jwks, changed.json().jwks)

  await self.api(admin, 'POST', `${path}/suspend`)
  const suspended = await ask(self, await next.sign(claims(identity)))
  t.match([suspended.statusCode, suspended.json().error], [400, 'unauthorized_client'])
  t.equal(await status(await clientKey()), 401, 'does not say so to another key')
  await self.api(admin, 'POST', `${path}/resume`)

  t.notHas((await self.api(admin, 'PATCH', path, { jwks: null })).json(), 'jwks')
  t.same([await status(old), await status(next)], [401, 401])
})
