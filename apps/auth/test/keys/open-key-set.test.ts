import { createHash, createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { type KeySet, type OpenKeySet, openKeySet } from '../../src/keys/index.js'

/** What `t` of tap offers here. */
interface Test {
  teardown(callback: () => Promise<void>): void
  comment(text: string): void
}

const secret = 'a secret of more than 32 characters, for tests'

/** Opens key sets under a prefix of its own; its keys go with the test. */
async function keySets(t: Test) {
  const url = process.env['REDIS_URL']
  if (url === undefined) throw new Error('set REDIS_URL to a Redis that tests may write to')
  const redis = connect({ url, onError: (error) => t.comment(error.message) })
  await redis.connect()
  const prefix = `test-${randomBytes(9).toString('hex')}`
  const key = `{${prefix}:0}:signing-keys`
  t.teardown(async () => {
    await redis.del(key)
    await close(redis)
  })
  const open = (options: Partial<OpenKeySet> = {}) => openKeySet({ redis, prefix, ...options })
  return { redis, key, open }
}

/** The private key's 32 bytes, as every form of it holds them. */
function secretBytes({ current }: KeySet): Buffer {
  const der = Buffer.from(current.privateKey.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  return der.subarray(-32)
}

t.test('what the current key signs, its public key verifies, and nothing else', async (t) => {
  const { open } = await keySets(t)
  const keys = await open()
  const data = Buffer.from('data')
  const signature = sign(null, data, keys.current.privateKey)
  const publicKey = keys.publicKey(keys.current.kid)
  t.ok(verify(null, data, publicKey ?? '', signature))
  t.notOk(verify(null, Buffer.from('date'), publicKey ?? '', signature))
  for (const kid of ['', 'current', 'x', '__proto__', 'constructor'])
    t.equal(keys.publicKey(kid), undefined, `no key "${kid}"`)
})

t.test('the JWKS has the public part alone, its kid is the RFC 7638 thumbprint', async (t) => {
  const { open } = await keySets(t)
  const keys = await open({ secret })
  const { keys: list } = keys.jwks()
  t.equal(list.length, 1)
  const [jwk] = list
  t.same(Object.keys(jwk ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  const members = `{"crv":"Ed25519","kty":"OKP","x":"${jwk?.x}"}`
  t.equal(jwk?.kid, createHash('sha256').update(members).digest('base64url'))
  t.equal(jwk?.kid, keys.current.kid)
  const { x } = createPublicKey(keys.publicKey(keys.current.kid) ?? '').export({ format: 'jwk' })
  t.equal(x, jwk?.x)
})

t.test('the thumbprint is that of RFC 8037, appendix A.3', async (t) => {
  const { thumbprint } = await import('../../src/keys/stored-key.js')
  t.equal(
    thumbprint('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'),
    'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  )
})

for (const options of [{}, { secret }])
  t.test(`ten instances at once agree on one key; ${Object.keys(options)}`, async (t) => {
    const { redis, key, open } = await keySets(t)
    const sets = await Promise.all(Array.from({ length: 10 }, () => open(options)))
    t.equal(new Set(sets.map(({ current }) => current.privateKey)).size, 1)
    t.equal(new Set(sets.map(({ current }) => current.kid)).size, 1)
    t.equal(await redis.hlen(key), 2, 'one key, and which is current')
    t.equal((await open(options)).current.privateKey, sets[0]?.current.privateKey, 'also later')
  })

t.test('with a secret the private key is nowhere in Redis', async (t) => {
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

t.test('a key that was stored in the clear is encrypted once there is a secret', async (t) => {
  const { redis, key, open } = await keySets(t)
  const before = await open()
  const bytes = secretBytes(before)
  const clear = async () => {
    const values = Object.values(await redis.hgetall(key)).join('\n')
    return forms(bytes).some((form) => values.includes(form))
  }
  t.equal(await clear(), true, 'without a secret it can be found')
  const sets = await Promise.all(Array.from({ length: 5 }, () => open({ secret })))
  t.equal(await clear(), false, 'with one it cannot')
  for (const { current } of sets) t.same(current, before.current, 'it is the same key')
  await t.rejects(open(), { code: 'secret_missing' })
})

t.test('no secret, a wrong one, or a damaged key: an error that says so', async (t) => {
  const { redis, key, open } = await keySets(t)
  const { current } = await open({ secret })
  await t.rejects(open(), { code: 'secret_missing' })
  await t.rejects(open(), /KEY_ENCRYPTION_SECRET/)
  const wrong = open({ secret: `${secret}!` })
  await t.rejects(wrong, { code: 'secret_wrong' })
  const message = await wrong.catch((error) => `${error.message} ${error.stack}`)
  t.notOk(String(message).includes(secret), 'and not what the secret is')

  const stored = (await redis.hget(key, current.kid)) ?? ''
  const other = await (await keySets(t)).open()
  for (const damaged of ['', '{}', 'x', '{"x":1,"d":2}', stored.replace('"x":"', '"x":"A')]) {
    await redis.hset(key, current.kid, damaged)
    await t.rejects(open({ secret }), { code: 'key_unreadable' }, damaged.slice(0, 20))
  }
  await redis.hset(key, { [other.current.kid]: stored, current: other.current.kid })
  await redis.hdel(key, current.kid)
  await t.rejects(open({ secret }), { code: 'key_unreadable' }, 'under the kid of another')
  await redis.hset(key, current.kid, stored)
  await redis.hdel(key, other.current.kid)
  await t.rejects(open({ secret }), { code: 'key_unreadable' }, 'the current key is not there')
})

t.test('without Redis there is an error, and no key', async (t) => {
  const { open } = await keySets(t)
  const redis = connect({ url: 'redis://127.0.0.1:1', onError: () => undefined })
  await t.rejects(open({ redis }), { code: 'registry_unavailable' })
  await close(redis)
})

/** How text holds bytes. */
function forms(bytes: Buffer): string[] {
  return [
    bytes.toString('base64url'),
    bytes.toString('base64').replace('=', ''),
    bytes.toString('hex'),
  ]
}
