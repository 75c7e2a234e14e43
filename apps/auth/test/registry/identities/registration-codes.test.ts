import t from 'tap'
import {
  addRegistrationCode,
  authenticate,
  getIdentity,
  registerIdentity,
  removeRegistrationCode,
} from '../../../src/registry/index.js'
import { open } from '../fixtures/open.js'

t.test('a rotation expires the other codes, at once or later', async (t) => {
  const { registry } = await open(t)
  const first = await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const second = await addRegistrationCode(registry, 'shop', { expireOthersInSeconds: 60 })
  await authenticate(registry, 'shop', first.registrationCode)
  await authenticate(registry, 'shop', second.registrationCode)
  const shown = (await getIdentity(registry, 'shop')).registrationCodes
  const old = shown.find(({ id }) => id === first.registrationCodes[0]?.id)
  const left = (old?.expiresAt ?? 0) - second.createdAt
  t.equal(left, 60_000, 'the old code has a minute left')

  const third = await addRegistrationCode(registry, 'shop', { expireOthersInSeconds: 0 })
  for (const { registrationCode } of [first, second]) {
    await t.rejects(authenticate(registry, 'shop', registrationCode), { code: 'invalid_client' })
  }
  await authenticate(registry, 'shop', third.registrationCode)
  t.equal((await getIdentity(registry, 'shop')).registrationCodes.length, 1)
})

t.test('a rotation never extends the lifetime of a code', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [], codeTtlSeconds: 5 })
  const [before] = (await getIdentity(registry, 'shop')).registrationCodes
  await addRegistrationCode(registry, 'shop', { expireOthersInSeconds: 600 })
  const after = (await getIdentity(registry, 'shop')).registrationCodes
  t.same(
    after.find(({ id }) => id === before?.id),
    before,
  )
})

t.test('an expired code does not work, and is not listed', async (t) => {
  const { registry, redis } = await open(t)
  const made = await registerIdentity(registry, {
    identity: 'shop',
    scopes: [],
    codeTtlSeconds: 3600,
  })
  await authenticate(registry, 'shop', made.registrationCode)
  // Moves the stored expiry to the past.
  const key = registry.keys.codes(0, 'shop')
  for (const [hash, value] of Object.entries(await redis.hgetall(key))) {
    await redis.hset(key, hash, value.replace(/\d+$/, String(Date.now() - 10_000)))
  }
  await t.rejects(authenticate(registry, 'shop', made.registrationCode), { code: 'invalid_client' })
  t.same((await getIdentity(registry, 'shop')).registrationCodes, [])
  await addRegistrationCode(registry, 'shop', {})
  t.equal(await redis.hlen(key), 1, 'adding a code removes expired ones')
})

t.test('allows eight codes; removing one makes room', async (t) => {
  const { registry } = await open(t)
  const first = await registerIdentity(registry, { identity: 'shop', scopes: [] })
  for (let count = 1; count < 8; count += 1) {
    await addRegistrationCode(registry, 'shop', {})
  }
  await t.rejects(addRegistrationCode(registry, 'shop', {}), { code: 'too_many_codes' })
  await t.rejects(addRegistrationCode(registry, 'shop', { expireOthersInSeconds: 9 }), {
    code: 'too_many_codes',
  })
  t.ok(
    (await getIdentity(registry, 'shop')).registrationCodes.every((code) => !code.expiresAt),
    'the refused rotation changes nothing',
  )

  const [oldest] = first.registrationCodes
  await removeRegistrationCode(registry, 'shop', oldest?.id ?? '')
  await t.rejects(authenticate(registry, 'shop', first.registrationCode), {
    code: 'invalid_client',
  })
  await addRegistrationCode(registry, 'shop', {})
  await t.rejects(removeRegistrationCode(registry, 'shop', 'none'), { code: 'code_not_found' })
})

t.test('refuses codes for an unknown identity', async (t) => {
  const { registry } = await open(t)
  await t.rejects(addRegistrationCode(registry, 'no', {}), { code: 'identity_not_found' })
  await t.rejects(removeRegistrationCode(registry, 'no', 'x'), { code: 'identity_not_found' })
})
