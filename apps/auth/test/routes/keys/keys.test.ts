import { createPrivateKey, createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import { newTokenId } from '../../../src/tokens/token-id.js'
import { type Auth, auth } from '../../fixtures/auth.js'
import { signed } from '../../fixtures/forge.js'
import { ageKeys } from '../../keys/fixtures/key-sets.js'

const minuteMs = 60_000

interface ListedKey {
  kid: string
  alg: string
  state: string
}

const age = ({ app: { registry } }: Auth, ms: number) =>
  ageKeys(registry.redis, registry.keys.signingKeyStates, ms)
const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
const list = async (self: Auth, token: string): Promise<ListedKey[]> =>
  (await self.api(token, 'GET', '/v1/keys')).json().keys
const jwks = async ({ app }: Auth) => (await app.inject('/.well-known/jwks.json')).json().keys
const active = async (self: Auth, caller: string, ...tokens: string[]) =>
  (await self.api(caller, 'POST', '/v1/introspections', { tokens }))
    .json()
    .results.map((result: { active: boolean }) => result.active)

t.test('keeps every token valid at every instance after a rotation', async (t) => {
  const self = await auth(t)
  const other = await self.another()
  const admin = await self.token()
  const old = await self.tokenWith('feed')
  const [next, current] = await list(self, admin)
  t.match([next, current], [{ state: 'next' }, { state: 'current' }])

  const early = await self.api(admin, 'POST', '/v1/keys/rotate')
  t.equal(early.statusCode, 409)
  t.match(early.json(), { code: 'key_too_young', detail: /try again in \d+ s/ })

  await age(self, 10 * minuteMs)
  const rotated = await self.api(admin, 'POST', '/v1/keys/rotate', {})
  t.equal(rotated.statusCode, 200)
  t.same(await list(other, admin), rotated.json().keys)
  t.match(rotated.json().keys, [
    { state: 'next' },
    { kid: next?.kid, state: 'current' },
    { kid: current?.kid, state: 'previous' },
  ])

  const young = await other.tokenWith('feed')
  t.equal(headerOf(old).kid, current?.kid)
  t.equal(headerOf(young).kid, next?.kid)
  for (const instance of [self, other]) {
    t.same(await active(instance, admin, old, young), [true, true])
    const kids = (await jwks(instance)).map(({ kid }: ListedKey) => kid)
    t.equal(kids.length, 3)
    for (const { kid } of rotated.json().keys) {
      t.ok(kids.includes(kid), 'publishes all keys')
    }
  }
})

t.test('issues ES256 tokens that auth and third parties can verify', async (t) => {
  const self = await auth(t, { SIGNING_ALGORITHM: 'ES256' })
  const token = await self.token()
  const { alg, kid } = headerOf(token)
  t.equal(alg, 'ES256')
  const jwk = (await jwks(self)).find((key: ListedKey) => key.kid === kid)
  t.match(jwk, { kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256' })
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  const at = token.lastIndexOf('.')
  const signature = Buffer.from(token.slice(at + 1), 'base64url')
  const input = Buffer.from(token.slice(0, at))
  t.ok(verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature))
  t.same(await active(self, token, token), [true])
})

t.test('requires keys:write, and shows no private member', async (t) => {
  const self = await auth(t)
  const writer = await self.tokenWith('keys:write')
  const answer = await self.api(writer, 'GET', '/v1/keys')
  t.equal(answer.statusCode, 200)
  for (const key of answer.json().keys) {
    t.notHas(key, { d: String })
  }
  const { privateKey } = self.app.tokens.keys.current
  const { d = '' } = createPrivateKey(privateKey).export({ format: 'jwk' })
  t.notOk(answer.body.includes(d))
  const [{ kid }] = answer.json().keys
  const calls = [
    ['GET', '/v1/keys'],
    ['POST', '/v1/keys/rotate'],
    ['POST', `/v1/keys/${kid}/revoke`],
  ] as const
  const stranger = await self.tokenWith('tokens:revoke', 'identities:write', 'tokens:read')
  for (const [method, url] of calls) {
    t.equal((await self.api(undefined, method, url)).statusCode, 401, url)
    t.equal((await self.api(stranger, method, url)).statusCode, 403, url)
  }
  const unknown = await self.api(writer, 'POST', `/v1/keys/${'A'.repeat(43)}/revoke`)
  t.match([unknown.statusCode, unknown.json().code], [404, 'key_not_found'])
  t.equal((await self.api(writer, 'POST', '/v1/keys/x/revoke')).statusCode, 400)
  t.equal((await self.api(writer, 'POST', `/v1/keys/${kid}/revoke`, { all: 1 })).statusCode, 400)
  t.same(await active(self, await self.token(), writer), [true], 'revoked nothing')
})

t.test(
  'revokes every token with a key, even at an instance with an outdated key set',
  async (t) => {
    const self = await auth(t)
    const other = await self.another()
    const admin = await self.token()
    const victim = await self.identity(['feed'])
    const token = await self.token(victim)
    const stolen = self.app.tokens.keys.current
    const { kid } = stolen
    // The other instance misses the revocation, and still has the key as its current one.
    other.app.tokens.keys.refresh = async () => {}

    const answer = await self.api(admin, 'POST', `/v1/keys/${kid}/revoke`, {
      reason: 'stolen',
      wait: 1,
    })
    t.equal(answer.statusCode, 201)
    const { revocation, keys } = answer.json()
    t.match(revocation, { selector: { all: true }, reason: 'stolen', complete: true, tokens: 3 })
    t.equal(answer.headers['location'], `/v1/revocations/${revocation.id}`)
    t.notOk(keys.some((key: ListedKey) => key.kid === kid))
    t.notOk((await jwks(self)).some((key: ListedKey) => key.kid === kid))
    t.equal(
      (await self.api(admin, 'GET', '/v1/keys')).statusCode,
      401,
      "revokes the caller's own token",
    )

    const successor = await self.token()
    t.not(headerOf(successor).kid, kid)
    for (const instance of [self, other]) {
      t.same(await active(instance, successor, token), [false])
    }

    // An attacker signs a token with the id of one that was issued after the revocation.
    const young = await self.token(victim)
    const forged = signed(
      { alg: stolen.alg, privateKey: createPrivateKey(stolen.privateKey) },
      { alg: stolen.alg, typ: 'at+jwt', kid },
      claimsOf(young),
    )
    t.equal(other.app.tokens.keys.current.kid, kid, 'the other instance still has the key')
    for (const instance of [self, other]) {
      t.same(await active(instance, successor, young, forged), [true, false])
    }

    const refused = await other.form('/oauth/token', {
      grant_type: 'client_credentials',
      client_id: victim.identity,
      client_secret: victim.registrationCode,
    })
    t.match([refused.statusCode, refused.json().error], [503, 'temporarily_unavailable'])
    Reflect.deleteProperty(other.app.tokens.keys, 'refresh')
    t.equal(
      headerOf(await other.token(victim)).kid,
      headerOf(successor).kid,
      'signs with the new key after it has looked',
    )

    const again = await self.api(successor, 'POST', `/v1/keys/${kid}/revoke`)
    t.equal(again.statusCode, 201, 'can be repeated when the response was lost')
    t.match(again.json().revocation.selector, { all: true })
  },
)

t.test('removes a revoked key that a failover restored, before it signs', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const { redis, keys } = self.app.registry
  const { kid } = self.app.tokens.keys.current
  const before = await redis.hgetall(keys.signingKeys)
  const states = await redis.hgetall(keys.signingKeyStates)
  await self.api(admin, 'POST', `/v1/keys/${kid}/revoke`)
  await redis.del(keys.signingKeys, keys.signingKeyStates)
  await redis.hset(keys.signingKeys, before)
  await redis.hset(keys.signingKeyStates, states)
  await self.app.tokens.keys.refresh()
  t.equal(self.app.tokens.keys.current.kid, kid, 'the key is restored')
  t.not(headerOf(await self.token()).kid, kid)
  t.equal(self.app.tokens.keys.find(kid), undefined)
})

t.test('a token that auth has not issued is never active, whoever has the key', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const token = await self.tokenWith('subscribe:news')
  const key = self.app.tokens.keys.current
  const { salt, ...claims } = claimsOf(token)
  const forge = (forged: object) =>
    signed(
      { alg: key.alg, privateKey: createPrivateKey(key.privateKey) },
      { alg: key.alg, typ: 'at+jwt', kid: key.kid },
      forged,
    )
  t.equal(forge({ ...claims, salt }), token, 'Ed25519 signs the same claims with the same bytes')

  // Administrators, and readers of the audit log, can see all other claims.
  const seen = (await self.api(admin, 'GET', `/v1/tokens/${claims.jti}`)).json()
  t.match(claims, {
    jti: seen.jti,
    client_id: seen.identity,
    sub: seen.subject,
    scope: seen.scope,
    iat: Math.floor(seen.issuedAt / 1000),
    exp: seen.expiresAt / 1000,
  })
  t.notMatch(JSON.stringify(seen), salt)
  const forged = {
    'the claims that can be seen': claims,
    'with another salt': { ...claims, salt: 'A'.repeat(22) },
    'with another scope': { ...claims, salt, scope: 'admin' },
    'with another subject': { ...claims, salt, sub: 'root' },
    'with a new id': { ...claims, salt, jti: newTokenId(key.idSecret, 0, claims.client_id) },
    'that never expires': { ...claims, salt, exp: claims.exp + 1e9 },
  }
  for (const [what, payload] of Object.entries(forged)) {
    const text = forge(payload)
    t.same(await active(self, admin, text, token), [false, true], what)
    t.equal((await self.api(text, 'GET', '/v1/keys')).statusCode, 401, what)
  }
})
