import { generateKeyPairSync } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import t from 'tap'
import { auth } from '../fixtures/auth.js'
import { clientKey } from '../fixtures/client-key.js'

t.test('keeps only public members of a key, and adds a missing kid', async (t) => {
  const self = await auth(t)
  const { jwk } = await clientKey('ES256')
  const { kid, alg, ...bare } = jwk
  const given = { ...bare, x5t: 'thumbprint', key_ops: ['verify'], note: 'x'.repeat(1000) }
  const body = { identity: 'shop', scopes: [], jwks: { keys: [given], more: 1 } }
  const answer = await self.api(await self.token(), 'POST', '/v1/identities', body)
  t.equal(answer.statusCode, 201, answer.body)
  t.same(answer.json().jwks, { keys: [{ ...bare, kid, alg, use: 'sig' }] })
})

t.test('rejects an unusable key and says why', async (t) => {
  const self = await auth(t)
  const admin = await self.token()
  const { jwk } = await clientKey()
  const { jwk: ec } = await clientKey('ES256')
  const { jwk: rsa } = await clientKey('RS256')
  const { alg: _, ...rsaWithoutAlg } = rsa
  const pair = await generateKeyPair('EdDSA', { extractable: true })
  const rsaOf = (modulusLength: number, publicExponent = 65_537) => ({
    ...generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({
      format: 'jwk',
    }),
    alg: 'RS256',
  })
  const cases: [JWK[] | unknown, RegExp][] = [
    [[await exportJWK(pair.privateKey)], /jwks\.keys\.0: "d" belongs to a private key/],
    [[jwk, { kty: 'oct', k: 'c2VjcmV0' }], /jwks\.keys\.1/],
    [[jwk, jwk], /jwks\.keys\.1: another key has the same kid/],
    [Array.from({ length: 9 }, () => jwk), /jwks\.keys/],
    [[], /jwks\.keys/],
    [[{ ...ec, y: ec.x }], /not a public key/],
    [[{ ...ec, crv: 'Ed25519' }], /not a public key/],
    [[{ kty: 'EC', crv: 'P-384', x: ec.x, y: ec.y }], /jwks\.keys\.0\.crv/],
    [[{ kty: 'OKP', crv: 'Ed25519' }], /not a public key/],
    [[{ ...jwk, alg: 'ES256' }], /"alg" must be EdDSA or Ed25519/],
    [[{ ...jwk, use: 'enc' }], /jwks\.keys\.0\.use/],
    [[{ ...jwk, kid: 'x'.repeat(129) }], /jwks\.keys\.0\.kid/],
    [[rsaWithoutAlg], /needs an "alg"/],
    [[{ ...rsa, alg: 'RS512' }], /needs an "alg"/],
    [[rsaOf(1024)], /2048 to 4096 bits/],
    [[rsaOf(2048, 3)], /exponent 65537/],
  ]
  for (const [keys, message] of cases) {
    const body = { identity: 'shop', scopes: [], jwks: { keys } }
    const answer = await self.api(admin, 'POST', '/v1/identities', body)
    t.match([answer.statusCode, answer.json().code], [400, 'invalid_request'], String(message))
    t.match(answer.json().detail, message)
  }
  t.equal((await self.api(admin, 'GET', '/v1/identities/shop')).statusCode, 404)
})
