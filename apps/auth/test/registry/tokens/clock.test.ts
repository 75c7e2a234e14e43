import t from 'tap'
import { introspectById, registerIdentity, revoke } from '../../../src/registry/index.js'
import { open, token } from '../fixtures/open.js'

t.test('tokens that are issued at the same time have different microseconds', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const issued = await Promise.all(Array.from({ length: 300 }, () => token(registry, 'shop')))
  t.equal(new Set(issued.map(({ issuedUs }) => issuedUs)).size, 300)
})

t.test("the partition's clock advances when the machine's clock goes back", async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  // The partition's clock is a minute ahead of Redis.
  const ahead = (Date.now() + 60_000) * 1000
  await redis.set(registry.keys.clock(0), ahead)
  const before = await token(registry, 'shop')
  const { cutoffUs } = await revoke(registry, { selector: { identity: 'shop' } })
  const after = await token(registry, 'shop')
  t.ok(before.issuedUs > ahead)
  t.equal(cutoffUs, before.issuedUs + 1)
  t.ok(after.issuedUs > cutoffUs && after.issuedUs < ahead + 10)
  const claims = [before, after].map(({ jti }) => ({ jti, client_id: 'shop' }))
  t.same((await introspectById(registry, claims)).map(Boolean), [false, true])
})

t.test('a token issued during a revocation is either before or after it', async (t) => {
  const { registry, another } = await open(t)
  const other = await another()
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  for (let round = 0; round < 20; round += 1) {
    const [first, { cutoffUs }, second] = await Promise.all([
      token(registry, 'shop'),
      revoke(other, { selector: { identity: 'shop' } }),
      token(registry, 'shop'),
    ])
    const claims = [first, second].map(({ jti }) => ({ jti, client_id: 'shop' }))
    t.same(
      (await introspectById(registry, claims)).map(Boolean),
      [first, second].map(({ issuedUs }) => issuedUs > cutoffUs),
    )
  }
})
