import { createPublicKey, verify as cryptoVerify, sign as ecdsa } from 'node:crypto'
import fc from 'fast-check'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import type { KeySet } from '../../src/keys/index.js'
import { type Jwt, jwt } from '../../src/tokens/jwt.js'
import { sign } from '../../src/tokens/sign.js'
import { signAs } from '../../src/tokens/sign-as.js'
import { newTokenId } from '../../src/tokens/token-id.js'
import { verify } from '../../src/tokens/verify.js'
import { hmac, keySet, part, signed, type TestKey, testKey } from '../fixtures/forge.js'

const algorithms = ['EdDSA', 'ES256'] as const
const now = Math.floor(Date.now() / 1000)
const times = { iat: now, exp: now + 600 }
const timeless = { sub: 'ann', client_id: 'app', scope: 'subscribe:news' }

/** Returns the claims of a token with an id of this key. */
function claimsOf({ idSecret }: TestKey) {
  const jti = newTokenId(idSecret, 0, 'app')
  return { iss: 'http://issuer', aud: 'portcullis', ...timeless, ...times, jti, salt: 'salt' }
}

function signedBy(jwt: Jwt): string {
  const { current } = jwt.keys
  return sign(jwt, current, { ...timeless, jti: newTokenId(current.idSecret, 0, 'app') }, times)
}

async function tokensOf(t: Test, keys: KeySet) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(jwt, { keys, issuer: 'http://issuer', audience: 'portcullis' })
  return app.tokens
}

for (const alg of algorithms) {
  t.test(alg, async (t) => {
    const key = testKey('key-1', alg)
    const header = { alg, typ: 'at+jwt', kid: key.kid }
    const payload = claimsOf(key)
    const tokens = (t: Test) => tokensOf(t, keySet(key))

    t.test('verifies a signed token', async (t) => {
      const jwt = await tokens(t)
      t.match(verify(jwt, signedBy(jwt)), { ...timeless, ...times })
      t.same(
        verify(jwt, signed(key, header, payload)),
        payload,
        'verifies a token signed by the tests',
      )
    })

    t.test('rejects an HMAC with any form of the public key', async (t) => {
      // fast-jwt CVE-2023-48223, CVE-2026-34950, GHSA-ww5h-9m49-7xx4
      const jwt = await tokens(t)
      const pem = key.publicPem
      const secrets = {
        PEM: pem,
        trimmed: pem.trim(),
        'leading space': ` ${pem}`,
        BOM: `\uFEFF${pem}`,
        'other prefix': `comment\n${pem}`,
        x: key.jwk.x,
        'x, decoded': Buffer.from(key.jwk.x, 'base64url').toString('latin1'),
        JWK: JSON.stringify(key.jwk),
        JWKS: JSON.stringify({ keys: [key.jwk] }),
        kid: key.kid,
      }
      for (const [name, secret] of Object.entries(secrets)) {
        for (const claimed of ['HS256', ...algorithms]) {
          t.equal(
            verify(jwt, hmac(secret, { ...header, alg: claimed }, payload)),
            undefined,
            `${name}, ${claimed}`,
          )
        }
      }
    })

    t.test('rejects an empty HMAC key and missing algorithms', async (t) => {
      // fast-jwt CVE-2026-44351, GHSA-8wpc-h4q6-8fxv
      const jwt = await tokens(t)
      t.equal(
        verify(jwt, hmac('', { ...header, alg: 'HS256' }, payload)),
        undefined,
        'empty HMAC key',
      )
      for (const claimed of ['none', 'None', 'NONE', 'nOnE', '', null, 0]) {
        const unsigned = `${part({ ...header, alg: claimed })}.${part(payload)}.`
        t.equal(verify(jwt, unsigned), undefined, `alg ${claimed}, no signature`)
        t.equal(
          verify(jwt, signed(key, { ...header, alg: claimed }, payload)),
          undefined,
          `alg ${claimed}, signed`,
        )
      }
      const bare = `${part(header)}.${part(payload)}`
      t.equal(verify(jwt, `${bare}.`), undefined, 'no signature')
      t.equal(verify(jwt, bare), undefined, 'two parts')
    })

    t.test('rejects a token signed with another key', async (t) => {
      const jwt = await tokens(t)
      const other = testKey('key-2', alg)
      t.equal(
        verify(jwt, signed(other, { ...header, kid: 'key-2' }, payload)),
        undefined,
        'unknown kid',
      )
      t.equal(
        verify(jwt, signed(other, header, payload)),
        undefined,
        'our kid, signed with another key',
      )
      for (const kid of [undefined, null, '', 1, ['key-1'], '__proto__', 'constructor']) {
        t.equal(verify(jwt, signed(key, { ...header, kid }, payload)), undefined, `kid ${kid}`)
      }
      const inline = { ...header, kid: 'key-2', jwk: other.jwk, jku: 'http://127.0.0.1/keys' }
      t.equal(verify(jwt, signed(other, inline, payload)), undefined, 'a key in the header')
    })

    t.test('verifies with a key that is not the current one', async (t) => {
      const older = testKey('older', alg)
      const jwt = await tokensOf(t, keySet(key, older))
      const claims = claimsOf(older)
      const token = signed(older, { ...header, kid: 'older' }, claims)
      t.same(verify(jwt, token), claims)
      t.equal(
        verify(jwt, signed(older, header, claims)),
        undefined,
        'rejects it under the other kid',
      )
    })

    t.test('rejects the same kid of another issuer', async (t) => {
      // Centrifugo CVE-2026-49998: a key cache by kid alone
      const ours = await tokens(t)
      const theirs = testKey(key.kid, alg)
      const from = { ...payload, iss: 'http://other' }
      t.equal(verify(ours, signed(theirs, header, from)), undefined, 'their key, their issuer')
      t.equal(verify(ours, signed(theirs, header, payload)), undefined, 'their key, our issuer')
      t.equal(verify(ours, signed(key, header, from)), undefined, 'our key, their issuer')
    })

    t.test('rejects any crit', async (t) => {
      // fast-jwt CVE-2026-35042; RFC 7515 §4.1.11: we understand no extension
      const jwt = await tokens(t)
      for (const crit of [['exp'], ['b64'], ['x'], [], null, '', 0, false, 'alg']) {
        t.equal(
          verify(jwt, signed(key, { ...header, crit, x: 1, b64: true }, payload)),
          undefined,
          JSON.stringify(crit),
        )
      }
    })

    t.test('rejects a payload that is not an object, or lacks a claim', async (t) => {
      const jwt = await tokens(t)
      for (const odd of ['null', '[]', '"text"', '1', 'true', '{', '', '{"__proto__":{}}']) {
        t.equal(verify(jwt, signed(key, header, odd)), undefined, odd)
      }
      for (const claim of Object.keys(payload)) {
        const { [claim as keyof typeof payload]: _, ...without } = payload
        t.equal(verify(jwt, signed(key, header, without)), undefined, `without ${claim}`)
        for (const value of [null, {}, [], true, -1.5, ['portcullis', 'x']]) {
          t.equal(
            verify(jwt, signed(key, header, { ...payload, [claim]: value })),
            undefined,
            `${claim}: ${JSON.stringify(value)}`,
          )
        }
      }
    })

    t.test('rejects another type or audience', async (t) => {
      // RFC 8725 §3.11, §3.9; RFC 9068 §4
      const jwt = await tokens(t)
      for (const typ of [
        undefined,
        null,
        'JWT',
        'jwt',
        'id_token+jwt',
        'at+jwt2',
        'at',
        '',
        ['at+jwt'],
      ]) {
        t.equal(verify(jwt, signed(key, { ...header, typ }, payload)), undefined, `typ ${typ}`)
      }
      for (const aud of ['other', 'portcullis2', 'Portcullis', '', ['portcullis', 'other']]) {
        t.equal(verify(jwt, signed(key, header, { ...payload, aud })), undefined, `aud ${aud}`)
      }
    })

    t.test('verifies an expired token, to name its caller and to revoke it', async (t) => {
      const jwt = await tokens(t)
      const old = { ...payload, exp: now - 60 }
      t.same(verify(jwt, signed(key, header, old)), old)
      t.equal(verify(jwt, signed(testKey(key.kid, alg), header, old)), undefined)
    })

    t.test('never returns the claims of another token', async (t) => {
      // fast-jwt CVE-2026-35039: a cache that mixed tokens
      const jwt = await tokens(t)
      const [ann, bob] = ['ann', 'bob'].map((sub) => signed(key, header, { ...payload, sub }))
      for (let round = 0; round < 3; round++) {
        for (const [sub, token] of [
          ['ann', ann],
          ['bob', bob],
        ]) {
          t.equal(verify(jwt, token ?? '')?.sub, sub)
        }
      }
    })

    t.test('rejects a token longer than 4096 characters', async (t) => {
      const jwt = await tokens(t)
      const room = 4096 - signed(key, header, { ...payload, x: '' }).length
      const fits = signed(key, header, { ...payload, x: 'x'.repeat(Math.floor(room * 0.75)) })
      const long = signed(key, header, { ...payload, x: 'x'.repeat(room) })
      t.ok(fits.length <= 4096 && long.length > 4096)
      t.ok(verify(jwt, fits))
      t.equal(verify(jwt, long), undefined)
    })

    t.test('rejects every changed character, and throws for no text', async (t) => {
      const jwt = await tokens(t)
      const token = signed(key, header, payload)
      // Another spelling of the signature may verify; introspection compares the text.
      const signedLength = token.lastIndexOf('.')
      t.doesNotThrow(() => {
        fc.assert(
          fc.property(fc.nat(signedLength - 1), fc.string({ maxLength: 1 }), (at, text) => {
            const changed = token.slice(0, at) + text + token.slice(at + 1)
            return changed === token || verify(jwt, changed) === undefined
          }),
        )
        fc.assert(fc.property(fc.string(), (text) => verify(jwt, text) === undefined))
        fc.assert(
          fc.property(fc.json(), fc.json(), (head, body) => {
            return verify(jwt, signed(key, head, body)) === undefined
          }),
        )
      })
    })
  })
}

t.test('verifies only with the algorithm of the key', async (t) => {
  // RFC 8725 §2.1, §3.1: with two kinds of keys, one could be used as the other.
  const ed = testKey('ed', 'EdDSA')
  const ec = testKey('ec', 'ES256')
  for (const keys of [keySet(ed, ec), keySet(ec, ed)]) {
    const jwt = await tokensOf(t, keys)
    for (const key of [ed, ec]) {
      for (const kid of ['ed', 'ec']) {
        for (const alg of [...algorithms, 'ES384', 'ES512', 'Ed25519', 'ES256K', 'HS256', 'none']) {
          const header = { alg, typ: 'at+jwt', kid }
          const payload = claimsOf(key)
          const genuine = key.kid === kid && key.alg === alg
          const claimed = verify(jwt, signed(key, header, payload))
          t.same(claimed, genuine ? payload : undefined, `${key.kid} as ${kid}, ${alg}`)
        }
      }
    }
    for (const key of [ed, ec]) {
      const { kid, publicPem, jwk } = key
      const payload = claimsOf(key)
      for (const secret of [publicPem, publicPem.trim(), JSON.stringify(jwk), jwk.x]) {
        for (const alg of ['HS256', ...algorithms]) {
          t.equal(verify(jwt, hmac(secret, { alg, typ: 'at+jwt', kid }, payload)), undefined, alg)
        }
      }
    }
  }
})

t.test('rejects malformed ECDSA signatures', async (t) => {
  const key = testKey('ec', 'ES256')
  const jwt = await tokensOf(t, keySet(key))
  const header = { alg: 'ES256', typ: 'at+jwt', kid: 'ec' }
  const payload = claimsOf(key)
  const input = `${part(header)}.${part(payload)}`
  const order = 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'
  const signatures = {
    // CVE-2022-21449: zeros that verified any text under any key
    zeros: Buffer.alloc(64),
    'the order of the curve': Buffer.from(order + order, 'hex'),
    ones: Buffer.alloc(64, 0xff),
    // RFC 7518 §3.4: 64 bytes
    DER: ecdsa('sha256', Buffer.from(input), key.privateKey),
    short: Buffer.alloc(63, 1),
    nothing: Buffer.alloc(0),
  }
  t.ok(verify(jwt, signed(key, header, payload)))
  for (const [name, signature] of Object.entries(signatures)) {
    t.equal(verify(jwt, `${input}.${signature.toString('base64url')}`), undefined, name)
  }
})

for (const alg of algorithms) {
  t.test(`${alg}: rejects a JWT of another type that auth signed`, async (t) => {
    const key = testKey('key', alg)
    const jwt = await tokensOf(t, keySet(key))
    const payload = claimsOf(key)
    const token = await signAs(jwt, 'secevent+jwt', payload)
    const [head = '', body = '', signature = ''] = token.split('.')
    const read = (text: string) => JSON.parse(Buffer.from(text, 'base64url').toString())
    t.same(read(head), { alg, typ: 'secevent+jwt', kid: 'key' })
    t.same(read(body), payload)
    const publicKey = { key: createPublicKey(key.publicPem), dsaEncoding: 'ieee-p1363' as const }
    const digest = alg === 'EdDSA' ? null : 'sha256'
    const bytes = Buffer.from(signature, 'base64url')
    t.ok(
      cryptoVerify(digest, Buffer.from(`${head}.${body}`), publicKey, bytes),
      'has a valid signature',
    )
    t.equal(verify(jwt, token), undefined)
    t.match(verify(jwt, signedBy(jwt)), timeless, 'still verifies access tokens')
  })
}
