import t from 'tap'
import {
  getIdentity,
  introspectById,
  openRegistry,
  RegistryError,
  readFeed,
  registerIdentity,
  revoke,
} from '../../src/registry/index.js'
import { open, token } from './fixtures/open.js'

t.test('the number of partitions is fixed when the registry is created', async (t) => {
  const { redis, prefix } = await open(t, { partitions: 4 })
  const options = { redis, prefix, feedMaxLength: 10, receiptTtlSeconds: 10, leaseMs: 1000 }
  t.equal((await openRegistry({ ...options, partitions: 4 })).partitions, 4)
  for (const partitions of [1, 5]) {
    const refused = openRegistry({ ...options, partitions })
    await t.rejects(refused, { code: 'partitions_mismatch' })
    await t.rejects(refused, /PARTITIONS=4/, 'the message names the setting')
  }
})

t.test('refuses invalid options', async (t) => {
  const { redis, prefix } = await open(t)
  const good = {
    redis,
    prefix,
    partitions: 1,
    feedMaxLength: 10,
    receiptTtlSeconds: 10,
    leaseMs: 1000,
  }
  const bad = [
    { prefix: '' },
    { prefix: 'a}b' },
    { prefix: 'a{b' },
    { partitions: 0 },
    { partitions: 1.5 },
    { partitions: 16_385 },
    { feedMaxLength: 0 },
    { receiptTtlSeconds: 0 },
    { leaseMs: 10 },
  ]
  for (const option of bad) {
    await t.rejects(
      openRegistry({ ...good, ...option }),
      { code: 'option_invalid' },
      JSON.stringify(option),
    )
  }
})

t.test('every function throws without Redis', async (t) => {
  const { registry, another } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti } = await token(registry, 'shop')
  const cut = await another()
  cut.redis.disconnect()
  const attempts: Record<string, Promise<unknown>> = {
    introspectById: introspectById(cut, [{ jti, client_id: 'shop' }]),
    getIdentity: getIdentity(cut, 'shop'),
    issueToken: token(cut, 'shop'),
    revoke: revoke(cut, { selector: { jti } }),
    readFeed: readFeed(cut, '0-0', 10),
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    await t.rejects(attempt, { code: 'registry_unavailable' }, name)
  }
  const error = await introspectById(cut, [{ jti, client_id: 'shop' }]).catch((caught) => caught)
  t.ok(error instanceof RegistryError && error.cause instanceof Error, 'with its cause')
})

t.test('a damaged key is an error', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti } = await token(registry, 'shop')
  await redis.set(registry.keys.token(0, jti), 'x')
  await t.rejects(introspectById(registry, [{ jti, client_id: 'shop' }]), {
    code: 'registry_unavailable',
  })
  await redis.set(registry.keys.clock(0), 'x')
  await t.rejects(token(registry, 'shop'), { code: 'registry_unavailable' })
})
