import { createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import { type Auth, auth } from '../../fixtures/auth.js'

t.test('publishes keys that verify a token', async (t) => {
  const { app, token } = await auth(t)
  const { keys } = (await app.inject('/.well-known/jwks.json')).json()
  const [header = '', payload = '', signature = ''] = (await token()).split('.')
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const jwk = keys.find((key: { kid: string }) => key.kid === kid)
  t.match(jwk, { kty: 'OKP', crv: 'Ed25519', use: 'sig', alg: 'EdDSA' })
  t.notHas(jwk, 'd', 'has no private member')
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const input = Buffer.from(`${header}.${payload}`)
  t.ok(verify(null, input, key, Buffer.from(signature, 'base64url')))
})

t.test('pages of every origin may read the keys and the metadata, and nothing else', async (t) => {
  const { app } = await auth(t)
  const headers = { origin: 'https://app.example.com' }
  for (const url of ['/.well-known/jwks.json', '/.well-known/oauth-authorization-server']) {
    const answer = await app.inject({ url, headers })
    t.match(answer.headers, {
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    })
  }
  for (const url of ['/health', '/v1/keys', '/oauth/token']) {
    const answer = await app.inject({ url, headers })
    t.notHas(answer.headers, 'access-control-allow-origin', url)
  }
})

t.test('names only existing endpoints in the metadata', async (t) => {
  const { app } = await auth(t, { ISSUER: 'https://auth.example/' })
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()
  t.equal(metadata.issuer, 'https://auth.example/')
  for (const [name, url] of Object.entries(metadata)) {
    if (!/_endpoint$|_uri$|_documentation$/.test(name)) {
      continue
    }
    const { pathname } = new URL(String(url))
    const answer = await app.inject({ method: 'OPTIONS', url: pathname })
    t.equal(answer.statusCode, 405, `${name}: ${pathname} exists`)
  }
})

t.test('lists every authentication method in the metadata', async (t) => {
  const { app } = await auth(t)
  const metadata = (await app.inject('/.well-known/oauth-authorization-server')).json()
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
  const algorithms = ['EdDSA', 'Ed25519', 'ES256', 'RS256', 'PS256']
  t.match(metadata, {
    token_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_methods_supported: [...methods, 'Bearer'],
    grant_types_supported: [
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ],
    response_types_supported: [],
  })
  for (const endpoint of ['token', 'introspection', 'revocation']) {
    t.same(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`], algorithms)
  }
  t.ok(metadata.scopes_supported.includes('identities:write'))
})

t.test('serves the metadata of an issuer with a path at the path of RFC 8414', async (t) => {
  const { app } = await auth(t, { ISSUER: 'https://auth.example/tenant/' })
  const path = '/.well-known/oauth-authorization-server'
  const answer = await app.inject(`${path}/tenant`)
  t.match(answer.json(), {
    issuer: 'https://auth.example/tenant/',
    token_endpoint: 'https://auth.example/tenant/oauth/token',
  })
  t.same((await app.inject(path)).json(), answer.json())
})

t.test('names the documentation only if the same port serves it', async (t) => {
  const self = await auth(t)
  const metadata = async ({ app }: Auth) =>
    (await app.inject('/.well-known/oauth-authorization-server')).json()
  t.equal((await metadata(self)).service_documentation, 'http://127.0.0.1:4000/docs')
  for (const INTERNAL_PORT of ['', '9464']) {
    const other = await self.another({ INTERNAL_PORT })
    t.notHas(await metadata(other), 'service_documentation')
    t.equal((await other.app.inject('/docs')).statusCode, 404)
    t.equal((await other.app.inject('/metrics')).statusCode, 404)
  }
})

t.test('describes every route in OpenAPI 3.1', async (t) => {
  const { app } = await auth(t)
  const description = (await app.inject('/docs')).json()
  t.equal(description.openapi, '3.1.0')
  for (const path of [
    '/oauth/token',
    '/oauth/introspect',
    '/oauth/revoke',
    '/oauth/register/{client_id}',
    '/v1/introspections',
    '/v1/identities/{identity}/registration-codes/{id}',
    '/v1/tokens/{jti}',
    '/v1/revocations',
    '/v1/nodes',
    '/v1/feed',
  ]) {
    t.ok(description.paths[path], path)
  }
  const { post } = description.paths['/v1/tokens']
  t.ok(post.requestBody.content['application/json'].schema.properties.subject)
  t.ok(post.responses['201'])
})
