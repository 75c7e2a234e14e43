import { createHash, createPublicKey, sign, verify } from 'node:crypto'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import type { KeySet } from '../../src/keys/index.js'
import { newKeyParts } from '../../src/keys/signing-key.js'
import { thumbprint } from '../../src/keys/thumbprint.js'
import { keySets } from './fixtures/key-sets.js'

const secret = 'a secret of more than 32 characters, for tests'

/** Returns the 32 bytes of the private key. */
function secretBytes({ current }: KeySet): Buffer {
  const der = Buffer.from(current.privateKey.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  return der.subarray(-32)
}

t.test('the public key verifies what the current key signs, and nothing else', async (t) => {
  const { open } = await keySets(t)
  const keys = await open()
  const data = Buffer.from('data')
  const signature = sign(null, data, keys.current.privateKey)
  const publicKey = keys.find(keys.current.kid)?.publicKey
  t.ok(verify(null, data, publicKey ?? '', signature))
  t.notOk(verify(null, Buffer.from('date'), publicKey ?? '', signature))
  for (const kid of ['', 'current', 'x', '__proto__', 'constructor']) {
    t.equal(keys.find(kid), undefined, `no key "${kid}"`)
  }
})

for (const algorithm of ['EdDSA', 'ES256'] as const) {
  t.test(
    `${algorithm}: the JWKS has only public parts, with their thumbprints as kid`,
    async (t) => {
      const { open } = await keySets(t)
      const keys = await open({ secret, algorithm })
      const { keys: list } = keys.jwks()
      t.equal(list.length, 2, 'the current and the next key')
      for (const jwk of list) {
        const y = 'y' in jwk ? ['y'] : []
        t.same(Object.keys(jwk).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', ...y])
        t.equal(jwk.alg, algorithm)
        // RFC 7638 §3.2, RFC 8037 §2
        const members =
          'y' in jwk
            ? `{"crv":"P-256","kty":"EC","x":"${jwk.x}","y":"${jwk.y}"}`
            : `{"crv":"Ed25519","kty":"OKP","x":"${jwk.x}"}`
        t.equal(jwk.kid, createHash('sha256').update(members).digest('base64url'))
        const publicKey = createPublicKey(keys.find(jwk.kid)?.publicKey ?? '')
        t.match(jwk, publicKey.export({ format: 'jwk' }))
      }
      t.ok(list.some(({ kid }) => kid === keys.current.kid))
    },
  )
}

t.test('computes the thumbprint of RFC 8037, appendix A.3', async (t) => {
  t.equal(
    thumbprint({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }),
    'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  )
})

t.test('a kid never starts with `-`', async (t) => {
  const parts = await Promise.all(Array.from({ length: 600 }, () => newKeyParts('EdDSA')))
  t.same(
    parts.map(thumbprint).filter((kid) => kid.startsWith('-')),
    [],
  )
})

t.test('keys without states open, and the current key stays', async (t) => {
  const { redis, key, states, open, age } = await keySets(t)
  const { current } = await open()
  // Leaves one key, and the field that names it.
  for (const kid of await redis.hkeys(key)) {
    if (kid !== 'current' && kid !== current.kid) {
      await redis.hdel(key, kid)
    }
  }
  await redis.del(states)
  const keys = await open({ rotationDays: 1 })
  t.same(keys.current, current)
  t.same(
    keys.list().map(({ state }) => state),
    ['next', 'current'],
    'it is not due for rotation',
  )
  await age(24 * 60 * 60 * 1000)
  await keys.refresh()
  t.not(keys.current.kid, current.kid, 'it is due a day later')
  t.ok(keys.find(current.kid))
})

for (const options of [{}, { secret }]) {
  t.test(
    `instances that start at the same time agree on their keys; ${Object.keys(options)}`,
    async (t) => {
      const { redis, key, open } = await keySets(t)
      const sets = await Promise.all(Array.from({ length: 6 }, () => open(options)))
      t.equal(new Set(sets.map(({ current }) => current.privateKey)).size, 1)
      t.equal(new Set(sets.map(({ current }) => current.kid)).size, 1)
      t.equal(
        await redis.hlen(key),
        3,
        'the current key, the next key, and the name of the current key',
      )
      t.equal(new Set(sets.map((keys) => JSON.stringify(keys.list()))).size, 1)
      t.equal(
        (await open(options)).current.privateKey,
        sets[0]?.current.privateKey,
        'a later instance agrees too',
      )
    },
  )
}

t.test('with a secret, no form of the private key is in Redis', async (t) => {
  const { redis, key, open } = await keySets(t)
  const keys = await open({ secret })
  const bytes = secretBytes(keys)
  const stored = (await redis.dumpBuffer(key)) ?? Buffer.alloc(0)
  const values = Buffer.from(Object.values(await redis.hgetall(key)).join('\n'))
  for (const form of [bytes, ...forms(bytes)]) {
    t.notOk(stored.includes(form))
    t.notOk(values.includes(form))
  }
  t.equal((await open({ secret })).current.privateKey, keys.current.privateKey)
})

t.test('encrypts a key that was stored in clear text once there is a secret', async (t) => {
  const { redis, key, open } = await keySets(t)
  const before = await open()
  const bytes = secretBytes(before)
  const isClear = async () => {
    const values = Object.values(await redis.hgetall(key)).join('\n')
    return forms(bytes).some((form) => values.includes(form))
  }
  t.equal(await isClear(), true, 'in clear text without a secret')
  const sets = await Promise.all(Array.from({ length: 5 }, () => open({ secret })))
  t.equal(await isClear(), false, 'encrypted with a secret')
  for (const { current } of sets) {
    t.same(current, before.current, 'the key stays the same')
  }
  await t.rejects(open(), { code: 'secret_missing' })
})

t.test('reports a missing secret, a wrong secret and a damaged key', async (t) => {
  const { redis, key, open } = await keySets(t)
  const { current } = await open({ secret })
  await t.rejects(open(), { code: 'secret_missing' })
  await t.rejects(open(), /KEY_ENCRYPTION_SECRET/)
  const wrong = open({ secret: `${secret}!` })
  await t.rejects(wrong, { code: 'secret_wrong' })
  const message = await wrong.catch((error) => `${error.message} ${error.stack}`)
  t.notOk(String(message).includes(secret), 'without the secret')

  const stored = (await redis.hget(key, current.kid)) ?? ''
  const other = await (await keySets(t)).open()
  for (const damaged of ['', '{}', 'x', '{"x":1,"d":2}', stored.replace('"x":"', '"x":"A')]) {
    await redis.hset(key, current.kid, damaged)
    await t.rejects(open({ secret }), { code: 'key_unreadable' }, damaged.slice(0, 20))
  }
  await redis.hset(key, { [other.current.kid]: stored, current: other.current.kid })
  await redis.hdel(key, current.kid)
  await t.rejects(open({ secret }), { code: 'key_unreadable' }, 'under the kid of another key')
  await redis.hset(key, current.kid, stored)
  await redis.hdel(key, other.current.kid)
  await t.rejects(open({ secret }), { code: 'key_unreadable' }, 'the current key is missing')
})

for (const algorithm of ['EdDSA', 'ES256'] as const) {
  t.test(`${algorithm}: rejects a private and a public key that do not match`, async (t) => {
    const { redis, key, open } = await keySets(t)
    const keys = await open({ algorithm })
    const [one = '', two = ''] = keys.list().map(({ kid }) => kid)
    const read = async (kid: string) => JSON.parse((await redis.hget(key, kid)) ?? '')
    await redis.hset(key, one, JSON.stringify({ ...(await read(one)), d: (await read(two)).d }))
    await t.rejects(open({ algorithm }), { code: 'key_unreadable' })
  })
}

t.test('throws without Redis', async (t) => {
  const { open } = await keySets(t)
  const redis = connect({ url: 'redis://127.0.0.1:1', onError: () => undefined })
  await t.rejects(open({ redis }), { code: 'registry_unavailable' })
  await close(redis)
})

/** Returns the text forms of bytes. */
function forms(bytes: Buffer): string[] {
  return [
    bytes.toString('base64url'),
    bytes.toString('base64').replace('=', ''),
    bytes.toString('hex'),
  ]
}
