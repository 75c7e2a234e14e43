import fc from 'fast-check'
import t from 'tap'
import { decode } from '../../src/tokens/decode.js'
import { newTokenId } from '../../src/tokens/token-id.js'
import { keySet, part, testKey } from '../fixtures/forge.js'

const key = keySet(testKey('key-1')).current
const header = part({ alg: 'EdDSA', typ: 'at+jwt', kid: 'key-1' })
const issuer = {
  keyOf: (text: string) => (text === header ? key : undefined),
  issuer: 'http://issuer',
  audience: 'portcullis',
}
const jti = newTokenId(key.idSecret, 0, 'shop')
const claims = { iss: 'http://issuer', aud: 'portcullis', client_id: 'shop', jti }
const textOf = (payload: unknown, head = header) => `${head}.${part(payload)}.signature`

t.test('reads id, identity and key, whatever the signature', async (t) => {
  const text = textOf(claims)
  t.same(decode(issuer, text), { text, jti, client_id: 'shop', key })
  t.ok(decode(issuer, `${header}.${part(claims)}.`))
})

t.test('rejects another header, issuer or audience, and an id that auth did not make', (t) => {
  const rejected = {
    'another header': textOf(claims, part({ alg: 'EdDSA', typ: 'JWT', kid: 'key-1' })),
    'no header': textOf(claims, ''),
    'another issuer': textOf({ ...claims, iss: 'http://other' }),
    'another audience': textOf({ ...claims, aud: 'other' }),
    'an audience in a list': textOf({ ...claims, aud: ['portcullis'] }),
    'an invented id': textOf({ ...claims, jti: `0-${'A'.repeat(22)}` }),
    'the id of another identity': textOf({ ...claims, client_id: 'bank' }),
    'no id': textOf({ ...claims, jti: undefined }),
    'no identity': textOf({ ...claims, client_id: undefined }),
    'two parts': `${header}.${part(claims)}`,
    'too long': textOf({ ...claims, x: 'x'.repeat(4096) }),
  }
  for (const [why, text] of Object.entries(rejected)) {
    t.equal(decode(issuer, text), undefined, why)
  }
  t.end()
})

t.test('throws for no text', async (t) => {
  t.doesNotThrow(() => {
    fc.assert(fc.property(fc.string(), (text) => decode(issuer, text) === undefined))
    fc.assert(
      fc.property(fc.string(), (text) => decode(issuer, `${header}.${text}.`) === undefined),
    )
    fc.assert(fc.property(fc.json(), (json) => decode(issuer, textOf(json)) === undefined))
  })
})
