import t from 'tap'
import { introspect, registerIdentity, revoke } from '../../../src/registry/index.js'
import { open, token } from '../fixtures/open.js'

t.test('no two tokens share a microsecond, however many are issued at once', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const issued = await Promise.all(Array.from({ length: 300 }, () => token(registry, 'shop')))
  t.equal(new Set(issued.map(({ issuedUs }) => issuedUs)).size, 300)
})

t.test("the clock goes on when the machine's goes back", async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  // The partition has already been a minute further than Redis is now.
  const ahead = (Date.now() + 60_000) * 1000
  await redis.set(registry.keys.clock(0), ahead)
  const before = await token(registry, 'shop')
  const { cutoffUs } = await revoke(registry, { selector: { identity: 'shop' } })
  const after = await token(registry, 'shop')
  t.equal(before.issuedUs, ahead + 1)
  t.equal(cutoffUs, ahead + 2)
  t.equal(after.issuedUs, ahead + 3)
  const claims = [before, after].map(({ jti }) => ({ jti, client_id: 'shop' }))
  t.same((await introspect(registry, claims)).map(Boolean), [false, true])
})

t.test(
  'a token issued while a revocation runs falls on one side of it, never between',
  async (t) => {
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
        (await introspect(registry, claims)).map(Boolean),
        [first, second].map(({ issuedUs }) => issuedUs > cutoffUs),
      )
    }
  },
)
