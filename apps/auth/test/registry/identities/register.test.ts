import t from 'tap'
import {
  authenticate,
  ensureAdministrator,
  getIdentity,
  registerIdentity,
} from '../../../src/registry/index.js'
import { open } from '../fixtures/open.js'

t.test('the code of a new identity works, and is stored only as its hash', async (t) => {
  const { registry, redis, prefix } = await open(t)
  const made = await registerIdentity(registry, {
    identity: 'shop',
    scopes: ['publish:news', 'introspect'],
    tokenTtlSeconds: 60,
    labels: ['team:a'],
  })
  t.match(made.registrationCode, /^[A-Za-z0-9_-]{43}$/, '256 bits in base64url')
  const { registrationCode, ...identity } = made
  t.match(identity, {
    identity: 'shop',
    state: 'active',
    scopes: ['publish:news', 'introspect'],
    tokenTtlSeconds: 60,
    labels: ['team:a'],
  })
  t.ok(Math.abs(identity.createdAt - Date.now()) < 60_000, 'created now, in milliseconds')
  t.equal(identity.registrationCodes.length, 1)
  t.same(await getIdentity(registry, 'shop'), identity)
  t.same(await authenticate(registry, 'shop', registrationCode), { identity })

  const keys = await redis.keys(`*${prefix}*`)
  t.ok(keys.length >= 4, 'the keys exist')
  for (const key of keys) {
    const dump = await redis.dumpBuffer(key)
    t.notOk(dump?.includes(registrationCode), `${key} does not hold the code`)
  }
})

t.test('refuses an unknown identity and a wrong code with the same answer', async (t) => {
  const { registry } = await open(t)
  const { registrationCode } = await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const other = await registerIdentity(registry, { identity: 'other', scopes: [] })
  const refusals = await Promise.all(
    [
      authenticate(registry, 'unknown', registrationCode),
      authenticate(registry, 'shop', 'wrong'),
      authenticate(registry, 'shop', ''),
      authenticate(registry, 'shop', other.registrationCode),
    ].map((attempt) => attempt.then(String, (error) => `${error.code} ${error.message}`)),
  )
  t.equal(new Set(refusals).size, 1, 'the answers are equal')
  t.match(refusals[0], /^invalid_client /)
})

t.test('registers a name once, also with concurrent calls', async (t) => {
  const { registry, another } = await open(t)
  const registries = [registry, await another()]
  const outcomes = await Promise.allSettled(
    registries.map((each) => registerIdentity(each, { identity: 'shop', scopes: [] })),
  )
  const made = outcomes.filter(({ status }) => status === 'fulfilled')
  t.equal(made.length, 1, 'one of two calls succeeded')
  await t.rejects(registerIdentity(registry, { identity: 'shop', scopes: [] }), {
    code: 'identity_exists',
  })
})

t.test('creates the administrator once, and adds a later code', async (t) => {
  const { registry } = await open(t)
  const order = { identity: 'admin', registrationCode: 'a'.repeat(43) }
  t.same(await ensureAdministrator(registry, order), { made: 'identity' })
  t.same(await ensureAdministrator(registry, order), { made: 'nothing' })
  t.equal((await getIdentity(registry, 'admin')).registrationCodes.length, 1, 'not added twice')
  const later = { identity: 'admin', registrationCode: 'b'.repeat(43) }
  const added = await ensureAdministrator(registry, later)
  const { registrationCodes } = await getIdentity(registry, 'admin')
  t.match(added, { made: 'code', code: registrationCodes.at(-1)?.id })
  for (const { registrationCode } of [order, later]) {
    const { identity } = await authenticate(registry, 'admin', registrationCode)
    t.same(identity.scopes, ['admin'])
  }
})
