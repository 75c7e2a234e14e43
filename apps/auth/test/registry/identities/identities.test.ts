import t from 'tap'
import {
  authenticate,
  changeIdentity,
  deleteIdentity,
  getIdentity,
  introspectById,
  listIdentities,
  listTokens,
  registerIdentity,
  resumeIdentity,
  suspendIdentity,
} from '../../../src/registry/index.js'
import { open, token } from '../fixtures/open.js'

for (const partitions of [1, 16]) {
  t.test(`suspending revokes the tokens and refuses new ones; P=${partitions}`, async (t) => {
    const { registry } = await open(t, { partitions })
    const { registrationCode } = await registerIdentity(registry, { identity: 'shop', scopes: [] })
    await registerIdentity(registry, { identity: 'other', scopes: [] })
    const { jti } = await token(registry, 'shop')
    const other = await token(registry, 'other')

    const { identity, revocation } = await suspendIdentity(registry, 'shop', 'misuse')
    t.equal(identity.state, 'suspended')
    t.equal(revocation.tokens, 1)
    t.same(revocation.selector, { identity: 'shop' })
    t.same(await introspectById(registry, [{ jti, client_id: 'shop' }]), [undefined])
    t.ok((await introspectById(registry, [{ jti: other.jti, client_id: 'other' }]))[0])
    await t.rejects(authenticate(registry, 'shop', registrationCode), {
      code: 'identity_suspended',
    })
    await t.rejects(authenticate(registry, 'shop', 'wrong'), { code: 'invalid_client' })
    await t.rejects(token(registry, 'shop'), { code: 'identity_suspended' })

    t.equal((await resumeIdentity(registry, 'shop')).state, 'active')
    t.same(
      await introspectById(registry, [{ jti, client_id: 'shop' }]),
      [undefined],
      'resuming does not restore tokens',
    )
    const next = await token(registry, 'shop')
    t.ok((await introspectById(registry, [{ jti: next.jti, client_id: 'shop' }]))[0])
    t.equal(
      (await suspendIdentity(registry, 'shop')).revocation.tokens,
      1,
      'counts only new tokens',
    )
  })

  t.test(
    `a later identity of the same name has only its own tokens; P=${partitions}`,
    async (t) => {
      const { registry, redis, prefix } = await open(t, { partitions })
      const first = await registerIdentity(registry, { identity: 'shop', scopes: [] })
      const old = await token(registry, 'shop')
      t.equal((await deleteIdentity(registry, 'shop')).tokens, 1)
      await t.rejects(getIdentity(registry, 'shop'), { code: 'identity_not_found' })
      await t.rejects(authenticate(registry, 'shop', first.registrationCode), {
        code: 'invalid_client',
      })
      await t.rejects(token(registry, 'shop'), { code: 'identity_not_found' })
      t.same(await introspectById(registry, [{ jti: old.jti, client_id: 'shop' }]), [undefined])

      await registerIdentity(registry, { identity: 'shop', scopes: [] })
      await t.rejects(authenticate(registry, 'shop', first.registrationCode), {
        code: 'invalid_client',
      })
      const next = await token(registry, 'shop')
      const claims = [old, next].map(({ jti }) => ({ jti, client_id: 'shop' }))
      const [gone, here] = await introspectById(registry, claims)
      t.equal(gone, undefined, 'the old token stays inactive')
      t.ok(here, 'the new token is active')
      t.same(
        (await listTokens(registry, { identity: 'shop' })).tokens.map(({ jti }) => jti),
        [next.jti],
      )

      // Even without the cut-off, tokens of the deleted identity stay inactive.
      const cutoffs = await redis.keys(`*${prefix}*cutoffs:shop`)
      t.equal(cutoffs.length, 1, 'there was a cut-off')
      await redis.del(...cutoffs)
      t.same((await introspectById(registry, claims)).map(Boolean), [false, true])
    },
  )

  t.test(`lists every identity once, in order; P=${partitions}`, async (t) => {
    const { registry } = await open(t, { partitions })
    const names = Array.from({ length: 23 }, (_, i) => `svc-${String(i).padStart(2, '0')}`)
    await Promise.all(names.map((identity) => registerIdentity(registry, { identity, scopes: [] })))
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listIdentities(registry, { limit: 5, ...(cursor ? { cursor } : {}) })
      t.ok(page.identities.length <= 5)
      seen.push(...page.identities.map(({ identity }) => identity))
      // An identity before the cursor is registered, and one after it is deleted.
      if (cursor === undefined) {
        await registerIdentity(registry, { identity: 'svc-', scopes: [] })
        await deleteIdentity(registry, 'svc-11')
      }
      cursor = page.cursor
    } while (cursor !== undefined)
    t.same(
      seen,
      names.filter((name) => name !== 'svc-11'),
    )
    await t.rejects(listIdentities(registry, { limit: 5, cursor: '(a' }), { code: 'bad_cursor' })
  })
}

t.test('changes only the named fields; issued tokens keep their scopes', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, {
    identity: 'shop',
    scopes: ['subscribe:news'],
    tokenTtlSeconds: 60,
    labels: ['a'],
  })
  const { jti } = await token(registry, 'shop')
  const changed = await changeIdentity(registry, 'shop', { scopes: ['publish:*'] })
  t.match(changed, { scopes: ['publish:*'], tokenTtlSeconds: 60, labels: ['a'] })
  const [record] = await introspectById(registry, [{ jti, client_id: 'shop' }])
  t.equal(record?.scope, 'subscribe:news')
  const cleared = await changeIdentity(registry, 'shop', { tokenTtlSeconds: null, labels: [] })
  t.notOk('tokenTtlSeconds' in cleared)
  t.same(cleared.labels, [])
  t.same(await changeIdentity(registry, 'shop', {}), cleared)
  for (const verb of [resumeIdentity, deleteIdentity, suspendIdentity, getIdentity]) {
    await t.rejects(verb(registry, 'unknown').then(String), { code: 'identity_not_found' })
  }
  await t.rejects(changeIdentity(registry, 'unknown', { labels: [] }), {
    code: 'identity_not_found',
  })
})
