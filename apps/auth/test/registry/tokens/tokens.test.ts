import { defined } from '@portcullis/contracts/defined'
import { maxParents } from '@portcullis/contracts/names'
import t from 'tap'
import {
  countTokens,
  deleteIdentity,
  getToken,
  introspect,
  introspectById,
  listTokens,
  registerIdentity,
  revoke,
  type TokenTimes,
} from '../../../src/registry/index.js'
import { expire } from '../fixtures/age.js'
import { open, record, token } from '../fixtures/open.js'

t.test('stores identity, subject, scope, times and address of a token', async (t) => {
  const { registry, redis } = await open(t, { partitions: 16 })
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti, issuedUs, expiresAt } = await record(registry, {
    identity: 'shop',
    subject: 'anna müller ☃',
    scopes: ['subscribe:news', 'publish:chat:{sub}'],
    ttlSeconds: 90,
    labels: ['device:phone', 'beta'],
    from: '2001:db8::1',
  })
  t.same(await getToken(registry, jti), {
    jti,
    identity: 'shop',
    subject: 'anna müller ☃',
    scope: 'subscribe:news publish:chat:{sub}',
    labels: ['device:phone', 'beta'],
    parents: [],
    state: 'active',
    issuedAt: Math.floor(issuedUs / 1000),
    expiresAt,
    issuedFrom: '2001:db8::1',
  })
  const life = expiresAt - issuedUs / 1000
  t.ok(
    life >= 90_000 && life < 91_000,
    'expires after the requested time, rounded up to a whole second',
  )
  t.equal(expiresAt % 1000, 0)
  const key = registry.keys.token(Number(jti.split('-')[0]), jti)
  t.equal(Number(await redis.call('PEXPIRETIME', key)), expiresAt, 'the key expires with the token')
})

t.test('a token never outlives the token that issued it', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const parent = await token(registry, 'shop', { ttlSeconds: 60 })
  const child = await token(registry, 'shop', { ttlSeconds: 2_592_000, parent: parent.jti })
  t.equal(child.expiresAt, parent.expiresAt, 'a child with a longer lifetime')
  const key = registry.keys.token(0, child.jti)
  t.equal(Number(await redis.call('PEXPIRETIME', key)), parent.expiresAt, 'the key too')
  const brief = await token(registry, 'shop', { ttlSeconds: 5, parent: child.jti })
  t.ok(brief.expiresAt < parent.expiresAt, 'a child with a shorter lifetime')
  t.same((await getToken(registry, brief.jti)).parents, [child.jti, parent.jti])
  const last = await token(registry, 'shop', { ttlSeconds: 60, parent: brief.jti })
  t.equal(last.expiresAt, brief.expiresAt)

  const own = await token(registry, 'shop', { ttlSeconds: 2_592_000 })
  t.ok(own.expiresAt > parent.expiresAt, "a token of the identity's own code")
})

t.test('a token that has ended cannot issue another', async (t) => {
  const { registry, redis } = await open(t)
  for (const identity of ['shop', 'bank']) {
    await registerIdentity(registry, { identity, scopes: [] })
  }
  const ends: Record<string, (jti: string) => Promise<unknown>> = {
    'revoked by its id': (jti) => revoke(registry, { selector: { jti } }),
    'revoked by its subject': () =>
      revoke(registry, { selector: { identity: 'shop', subject: 'ada' } }),
    'revoked by its label': () =>
      revoke(registry, { selector: { identity: 'shop', label: 'phone' } }),
    'revoked with its identity': () => revoke(registry, { selector: { identity: 'shop' } }),
    'revoked with all': () => revoke(registry, { selector: { all: true } }),
    expired: (jti) => expire(registry, 'shop', jti),
    'in its last second': (jti) =>
      redis.hset(registry.keys.token(0, jti), 'expiresAt', Math.ceil(Date.now() / 1000) * 1000),
    'of a deleted identity': async () => {
      await deleteIdentity(registry, 'shop')
      await registerIdentity(registry, { identity: 'shop', scopes: [] })
    },
  }
  for (const [name, end] of Object.entries(ends)) {
    const { jti } = await token(registry, 'shop', { subject: 'ada', labels: ['phone'] })
    await token(registry, 'shop', { parent: jti })
    await end(jti)
    const before = await countTokens(registry, {})
    await t.rejects(token(registry, 'shop', { parent: jti }), { code: 'parent_ended' }, name)
    t.same(await countTokens(registry, {}), before, 'stores no token')
  }
  const grandparent = await token(registry, 'shop')
  const parent = await token(registry, 'shop', { parent: grandparent.jti })
  await revoke(registry, { selector: { jti: grandparent.jti, cascade: true } })
  await t.rejects(token(registry, 'shop', { parent: parent.jti }), { code: 'parent_ended' })

  const { jti } = await token(registry, 'bank')
  await t.rejects(
    token(registry, 'shop', { parent: jti }),
    { code: 'parent_ended' },
    'of another identity',
  )
})

t.test('limits the number of parents of a token', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  let { jti } = await token(registry, 'shop')
  for (let depth = 1; depth <= maxParents; depth += 1) {
    jti = (await token(registry, 'shop', { parent: jti })).jti
  }
  t.equal((await getToken(registry, jti)).parents.length, maxParents)
  await t.rejects(token(registry, 'shop', { parent: jti }), { code: 'too_many_parents' })
})

t.test('refuses a lifetime out of range', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  for (const ttlSeconds of [0, -1, 1.5, 2_592_001, Number.NaN]) {
    await t.rejects(token(registry, 'shop', { ttlSeconds }), { code: 'ttl_invalid' })
  }
})

t.test('refuses a token of a revoked key', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  await redis.sadd(registry.keys.revokedKeys(0), 'revoked')
  const order = {
    identity: 'shop',
    subject: 'ada',
    scopes: [],
    ttlSeconds: 90,
    labels: [],
    from: '',
  }
  await t.rejects(record(registry, order, { kid: 'revoked' }), { code: 'key_revoked' })
  t.match(await record(registry, order, { kid: 'another' }), { jti: String })
})

t.test('only the text that was issued is active', async (t) => {
  for (const partitions of [1, 16]) {
    const { registry } = await open(t, { partitions })
    for (const identity of ['shop', 'bank']) {
      await registerIdentity(registry, { identity, scopes: [] })
    }
    const named = async (identity: string) => ({
      ...(await token(registry, identity)),
      client_id: identity,
    })
    const [first, second, third] = [await named('shop'), await named('shop'), await named('bank')]
    const presented = [
      first,
      { ...first, text: `${first.text} ` },
      { ...first, text: '' },
      { ...first, text: second.text },
      second,
      { ...second, client_id: 'bank' },
      { ...first, jti: second.jti },
      third,
    ]
    t.same((await introspect(registry, presented)).map(Boolean), [
      true,
      false,
      false,
      false,
      true,
      false,
      false,
      true,
    ])
    await revoke(registry, { selector: { jti: first.jti } })
    t.same((await introspect(registry, [first, second])).map(Boolean), [false, true])
  }
})

t.test('a token without a digest is inactive, also by its id', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti, text } = await token(registry, 'shop')
  await redis.hdel(registry.keys.token(0, jti), 'digest')
  t.same(await introspect(registry, [{ jti, client_id: 'shop', text }]), [undefined])
  t.same(await introspectById(registry, [{ jti, client_id: 'shop' }]), [undefined])
})

t.test('signs again when a second of the clock has ended, and records the last text', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  // The partition's clock is an hour ahead of this process.
  const aheadUs = (Math.floor(Date.now() / 1000) + 3600) * 1_000_000
  await redis.set(registry.keys.clock(0), aheadUs)
  const signed: TokenTimes[] = []
  const order = { identity: 'shop', subject: 'a', scopes: [], labels: [], from: '' }
  const { jti, text, issuedUs, expiresAt } = await record(
    registry,
    { ...order, ttlSeconds: 60 },
    { sign: (times) => `text ${signed.push(times)}` },
  )
  const second = aheadUs / 1_000_000
  t.equal(signed.length, 2)
  t.same(signed[1], { iat: second, exp: second + 61 })
  t.same([Math.floor(issuedUs / 1_000_000), expiresAt / 1000], [second, second + 61])
  t.equal(text, 'text 2')
  const ask = { jti, client_id: 'shop' }
  t.same(
    (
      await introspect(registry, [
        { ...ask, text: 'text 1' },
        { ...ask, text },
      ])
    ).map(Boolean),
    [false, true],
  )
  t.same(
    await countTokens(registry, {}),
    { active: 1, revoked: 0, exact: true },
    'records one token',
  )
})

t.test('stores nothing when every second ends before the text arrives', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const order = { identity: 'shop', subject: 'a', scopes: [], labels: [], from: '' }
  await redis.set(registry.keys.clock(0), (Date.now() + 60_000) * 1000)
  let signed = 0
  // The clock advances by a second on the way of each text to Redis.
  const sign = () => {
    void redis.incrby(registry.keys.clock(0), 1_000_000)
    signed += 1
    return 'text'
  }
  const late = record(registry, { ...order, ttlSeconds: 60 }, { sign })
  await t.rejects(late, { code: 'registry_unavailable' })
  t.ok(signed > 1 && signed < 20, `signs ${signed} times`)
  t.same(await countTokens(registry, {}), { active: 0, revoked: 0, exact: true })
})

t.test('malformed ids, unknown ids and ids of another registry are inactive', async (t) => {
  const { registry } = await open(t, { partitions: 4 })
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti } = await token(registry, 'shop')
  const [partition, random] = [jti.slice(0, 1), jti.slice(2)]
  const others = [
    '',
    random,
    `9-${random}`,
    `00${jti}`,
    `${partition}-${'A'.repeat(22)}`,
    `${jti}x`,
    `${jti}}`,
    `-1-${random}`,
  ]
  for (const other of others) {
    await t.rejects(getToken(registry, other), { code: 'token_not_found' }, other)
    t.same(await introspectById(registry, [{ jti: other, client_id: 'shop' }]), [undefined], other)
  }
})

t.test('introspection answers in order, and only for the right identity', async (t) => {
  for (const partitions of [1, 16]) {
    const { registry } = await open(t, { partitions })
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const identity of names) {
      await registerIdentity(registry, { identity, scopes: [] })
    }
    const issued = await Promise.all(
      names.map((identity, i) =>
        token(registry, identity, { subject: `s${i}`, labels: [`l${i}`] }),
      ),
    )
    const claims = issued.map(({ jti }, i) => ({ jti, client_id: names[i] ?? '' }))
    t.same(await introspectById(registry, []), [])
    const found = (await introspectById(registry, claims)).map((record) => {
      const { leftMs = 0, ...rest } = record ?? {}
      t.ok(leftMs > 3_500_000 && leftMs <= 3_601_000, `${leftMs} ms until the token expires`)
      return rest
    })
    t.same(
      found,
      issued.map(({ issuedUs, expiresAt }, i) => ({
        issuedUs,
        subject: `s${i}`,
        scope: 'subscribe:news',
        labels: [`l${i}`],
        parents: [],
        expiresAt,
      })),
    )
    const [first, second] = claims
    const swapped = [
      { jti: first?.jti ?? '', client_id: second?.client_id ?? '' },
      { jti: first?.jti ?? '', client_id: 'unknown' },
      ...claims,
    ]
    t.same((await introspectById(registry, swapped)).map(Boolean), [
      false,
      false,
      ...names.map(() => true),
    ])
  }
})

t.test('an expired token is inactive even before Redis removes it', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti } = await token(registry, 'shop')
  await redis.hset(registry.keys.token(0, jti), 'expiresAt', Date.now() - 1)
  t.same(await introspectById(registry, [{ jti, client_id: 'shop' }]), [undefined])
})

t.test('no token of a missing identity is active', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti } = await token(registry, 'shop')
  await redis.del(registry.keys.identity(0, 'shop'))
  t.same(await introspectById(registry, [{ jti, client_id: 'shop' }]), [undefined])
})

t.test('no token of a suspended identity is active, even without a cut-off', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const { jti } = await token(registry, 'shop')
  await redis.hset(registry.keys.identity(0, 'shop'), 'state', 'suspended')
  t.same(await introspectById(registry, [{ jti, client_id: 'shop' }]), [undefined])
})

t.test('pages are stable while tokens are issued and expire', async (t) => {
  const { registry, redis } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const issued: string[] = []
  for (let i = 0; i < 25; i += 1) {
    issued.push((await token(registry, 'shop')).jti)
  }
  const newestFirst = issued.toReversed()

  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await listTokens(registry, {
      identity: 'shop',
      limit: 10,
      ...defined({ cursor }),
    })
    seen.push(...page.tokens.map(({ jti }) => jti))
    if (cursor === undefined) {
      await token(registry, 'shop')
      // Removes the last token of this page, and one of a later page.
      for (const gone of [newestFirst[9], newestFirst[15]]) {
        await redis.del(registry.keys.token(0, gone ?? ''))
      }
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  t.same(
    seen,
    newestFirst.filter((jti) => jti !== newestFirst[15]),
  )
  await t.rejects(listTokens(registry, { identity: 'shop', cursor: 'x' }), { code: 'bad_cursor' })
  t.same(await listTokens(registry, { identity: 'unknown' }), { tokens: [] })
})

t.test('a list by subject or label has exactly those tokens, over many reads', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const wanted: string[] = []
  for (let i = 0; i < 1100; i += 100) {
    const batch = await Promise.all(
      Array.from({ length: 100 }, (_, j) =>
        token(registry, 'shop', j === 0 ? { subject: 'anna', labels: ['x'] } : { labels: ['y'] }),
      ),
    )
    wanted.unshift(batch[0]?.jti ?? '')
  }
  for (const filter of [{ subject: 'anna' }, { label: 'x' }]) {
    const first = await listTokens(registry, { identity: 'shop', limit: 6, ...filter })
    t.equal(first.tokens.length, 6)
    const rest = await listTokens(registry, {
      identity: 'shop',
      limit: 6,
      ...filter,
      cursor: first.cursor ?? '',
    })
    t.notOk(rest.cursor, 'the last page has no cursor')
    t.same(
      [...first.tokens, ...rest.tokens].map(({ jti }) => jti),
      wanted,
    )
  }
})

t.test(
  'each issue removes expired tokens from the index, which expires with its newest token',
  async (t) => {
    const { registry, redis } = await open(t)
    await registerIdentity(registry, { identity: 'shop', scopes: [] })
    const { keys } = registry
    let parent: string | undefined
    for (let i = 0; i < 20; i += 1) {
      const order = { subject: `s${i}`, labels: [`l${i}`, 'x'], parent }
      const { jti } = await token(registry, 'shop', order)
      if (parent !== undefined) {
        await expire(registry, 'shop', parent)
      }
      parent = i % 5 === 4 ? undefined : jti
      if (parent === undefined) {
        await expire(registry, 'shop', jti)
      }
    }
    const late = await token(registry, 'shop', { ttlSeconds: 7200 })
    const early = await token(registry, 'shop', { ttlSeconds: 60 })
    const entries = await redis.zrange(keys.index(0, 'shop'), 0, '-1')
    t.same(
      entries.map((entry) => [entry.split('\n')[0], entry.split('\n')[2]]),
      ['*', 's:shop'].flatMap((member) => [late, early].map(({ jti }) => [member, jti])),
    )
    for (const key of [keys.index(0, 'shop'), keys.expiring(0, 'shop')]) {
      t.equal(Number(await redis.call('PEXPIRETIME', key)), late.expiresAt)
    }
  },
)

t.test('the state of a token reflects every way to revoke it', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const issued = await Promise.all([
    token(registry, 'shop'),
    token(registry, 'shop', { subject: 'anna' }),
    token(registry, 'shop', { labels: ['phone'] }),
    token(registry, 'shop'),
  ])
  await revoke(registry, { selector: { jti: issued[0]?.jti ?? '' } })
  await revoke(registry, { selector: { identity: 'shop', subject: 'anna' } })
  await revoke(registry, { selector: { identity: 'shop', label: 'phone' } })
  const states = await Promise.all(
    issued.map(async ({ jti }) => (await getToken(registry, jti)).state),
  )
  t.same(states, ['revoked', 'revoked', 'revoked', 'active'])
})

t.test('limits the live tokens of an identity', async (t) => {
  const opened = await open(t)
  const registry = { ...opened.registry, maxTokensPerIdentity: 20 }
  for (const identity of ['shop', 'other']) {
    await registerIdentity(registry, { identity, scopes: [] })
  }
  const lives = Array.from({ length: 40 }, (_, n) => 100 + n)
  const issued = await Promise.allSettled(
    lives.map((ttlSeconds) => token(registry, 'shop', { ttlSeconds, subject: 'ann' })),
  )
  const jtis = issued.flatMap((one) => (one.status === 'fulfilled' ? [one.value.jti] : []))
  t.equal(jtis.length, 20, 'also with concurrent requests')
  const refused = issued.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  for (const error of refused) {
    t.match(error, { code: 'too_many_tokens', message: /20 tokens .*MAX_TOKENS_PER_IDENTITY/ })
  }
  const [{ waitMs }] = refused
  t.ok(waitMs > 90_000 && waitMs <= 101_000, `until the first expires: ${waitMs} ms`)
  t.equal(
    (await listTokens(registry, { identity: 'shop' })).tokens.length,
    20,
    'refused requests store nothing',
  )
  await token(registry, 'other')

  await revoke(registry, { selector: { jti: jtis[0] ?? '' } })
  await t.rejects(token(registry, 'shop'), { code: 'too_many_tokens' }, 'a revoked token counts')
  const fewer = { ...registry, maxTokensPerIdentity: 5 }
  const { waitMs: longer } = await token(fewer, 'shop').catch((error) => error)
  t.ok(longer >= waitMs, 'until enough tokens have expired')
  for (const jti of jtis.slice(0, 18)) {
    await expire(registry, 'shop', jti)
  }
  await token(registry, 'shop')
  const last = { ...registry, maxTokensPerIdentity: 3 }
  await t.rejects(
    token(last, 'shop'),
    { code: 'too_many_tokens' },
    'an expired token does not count',
  )
})
