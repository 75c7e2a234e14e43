import type { Selector } from '@portcullis/contracts/revocations'
import t from 'tap'
import {
  countCovered,
  countTokens,
  feedEnd,
  introspectById,
  listTokens,
  type Registry,
  readFeed,
  registerIdentity,
  revoke,
} from '../../../src/registry/index.js'
import { backdate } from '../fixtures/age.js'
import { open, token } from '../fixtures/open.js'

/** Returns which tokens are active, as `++-`. */
async function alive(registry: Registry, tokens: { jti: string; client_id: string }[]) {
  return (await introspectById(registry, tokens)).map((record) => (record ? '+' : '-')).join('')
}

async function population(registry: Registry) {
  const orders = [
    ['shop', { subject: 'anna', labels: ['phone'] }],
    ['shop', { subject: 'anna', labels: ['laptop', 'beta'] }],
    ['shop', { subject: 'bert', labels: ['phone', 'beta'] }],
    ['shop', { subject: 'phone', labels: [] }],
    ['bank', { subject: 'anna', labels: ['phone'] }],
  ] as const
  for (const identity of ['shop', 'bank']) {
    await registerIdentity(registry, { identity, scopes: [] })
  }
  const issued: { jti: string; client_id: string; issuedUs: number }[] = []
  for (const [identity, { subject, labels }] of orders) {
    issued.push({ client_id: identity, ...(await token(registry, identity, { subject, labels })) })
  }
  return issued
}

const cases: [name: string, selector: (jti: string) => Selector, after: string][] = [
  ['token', (jti) => ({ jti }), '-++++'],
  ['identity', () => ({ identity: 'shop' }), '----+'],
  ['subject', () => ({ identity: 'shop', subject: 'anna' }), '--+++'],
  ['label', () => ({ identity: 'shop', label: 'phone' }), '-+-++'],
  ['all', () => ({ all: true }), '-----'],
]

/** A tree of tokens: the index of each token's parent. The identity's own code issues the first two. */
const tree = [
  undefined, // 0
  undefined, // 1
  0, // 2
  0, // 3
  2, // 4
  4, // 5
  1, // 6
]

for (const partitions of [1, 16]) {
  for (const [at, after] of [
    [0, '-+----+'],
    [2, '++-+--+'],
    [5, '+++++-+'],
    [6, '++++++-'],
  ] as const) {
    t.test(
      `cascade revokes token ${at} and the tokens that it has issued; P=${partitions}`,
      async (t) => {
        const { registry } = await open(t, { partitions })
        await registerIdentity(registry, { identity: 'shop', scopes: [] })
        const tokens: { jti: string; client_id: string }[] = []
        for (const parent of tree) {
          const order = parent === undefined ? {} : { parent: tokens[parent]?.jti }
          tokens.push({ client_id: 'shop', ...(await token(registry, 'shop', order)) })
        }
        const jti = tokens[at]?.jti ?? ''
        const selector = { jti, cascade: true as const }
        const covered = [...after].filter((sign) => sign === '-').length
        const counted = await countTokens(registry, { parent: jti })
        t.same(
          counted,
          { active: covered - 1, revoked: 0, exact: true },
          'the tokens that it has issued',
        )
        t.same(
          await countCovered(registry, selector),
          { tokens: covered, exact: true },
          'a dry run',
        )
        t.equal(await alive(registry, tokens), '+++++++', 'changes nothing')

        const from = await feedEnd(registry)
        const done = await revoke(registry, { selector })
        t.equal(done.tokens, covered, 'the receipt counts all of them')
        t.equal(await alive(registry, tokens), after)
        const read = await readFeed(registry, from, 10)
        t.match(read, { revocations: [{ selector }] })
        t.equal(read === 'lost' ? 0 : read.revocations.length, 1, 'in one commit')
        t.equal(
          (await revoke(registry, { selector })).tokens,
          0,
          'a second revocation covers no new token',
        )
        t.equal((await countCovered(registry, selector)).tokens, 0)
        const listed = (await listTokens(registry, { parent: jti })).tokens
        t.equal(listed.length, covered - 1)
        t.ok(listed.every(({ state }) => state === 'revoked'))
      },
    )
  }
}

t.test('revoking a token without cascade keeps the tokens that it has issued', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const parent = await token(registry, 'shop')
  const child = await token(registry, 'shop', { parent: parent.jti })
  const both = [parent, child].map(({ jti }) => ({ jti, client_id: 'shop' }))
  t.equal((await revoke(registry, { selector: { jti: parent.jti } })).tokens, 1)
  t.equal(await alive(registry, both), '-+')
  const { tokens } = await revoke(registry, { selector: { jti: parent.jti, cascade: true } })
  t.equal(tokens, 1, 'a later cascade counts the newly covered tokens')
  t.equal(await alive(registry, both), '--')
})

for (const partitions of [1, 16]) {
  for (const [name, select, after] of cases) {
    t.test(
      `revoking by ${name} revokes exactly the selected tokens; P=${partitions}`,
      async (t) => {
        const { registry } = await open(t, { partitions })
        const tokens = await population(registry)
        const selector = select(tokens[0]?.jti ?? '')
        const covered = [...after].filter((sign) => sign === '-').length
        t.same(
          await countCovered(registry, selector),
          { tokens: covered, exact: true },
          'the dry run counts',
        )
        t.equal(await alive(registry, tokens), '+++++', 'the dry run changes nothing')

        const done = await revoke(registry, { selector, reason: 'test' })
        t.equal(done.tokens, covered)
        t.match(done.id, name === 'all' ? /^all-/ : /^\d+-/)
        t.ok(Math.abs(done.at - Date.now()) < 60_000, 'at is in milliseconds')
        t.equal(await alive(registry, tokens), after)

        t.equal(
          (await revoke(registry, { selector })).tokens,
          0,
          'a second revocation covers no new token',
        )
        t.equal((await countCovered(registry, selector)).tokens, 0)
        const states = (await listTokens(registry, { identity: 'shop' })).tokens
          .map(({ state }) => (state === 'revoked' ? '-' : '+'))
          .reverse()
        t.equal(states.join(''), after.slice(0, 4), 'the list agrees')

        const { jti } = await token(registry, 'shop', { subject: 'anna', labels: ['phone'] })
        t.equal(
          await alive(registry, [{ jti, client_id: 'shop' }]),
          '+',
          'a new token is not covered',
        )
      },
    )

    t.test(`issuedBefore limits a revocation by ${name}; P=${partitions}`, async (t) => {
      const { registry } = await open(t, { partitions })
      const tokens = await population(registry)
      const selector = select(tokens[0]?.jti ?? '')
      const firstMs = Math.floor((tokens[0]?.issuedUs ?? 0) / 1000)
      const before = await revoke(registry, { selector, issuedBefore: firstMs })
      t.equal(before.cutoffUs, firstMs * 1000 - 1)
      t.equal(before.tokens, 0)
      t.equal(await alive(registry, tokens), '+++++', 'no token was issued before the first')

      await t.rejects(revoke(registry, { selector, issuedBefore: Date.now() + 60_000 }), {
        code: 'issued_before_in_future',
      })
      t.equal(await alive(registry, tokens), '+++++', 'a refused order changes nothing')
      t.equal((await readFeed(registry, zero(partitions), 10)) === 'lost', false)
    })
  }
}

t.test(
  'the cut-off is exact to the millisecond, and to the microsecond without issuedBefore',
  async (t) => {
    const { registry, redis } = await open(t)
    await registerIdentity(registry, { identity: 'shop', scopes: [] })
    const base = Date.now() - 10_000
    const issued: { jti: string; client_id: string }[] = []
    for (const us of [base * 1000 - 1, base * 1000, base * 1000 + 1]) {
      const { jti } = await token(registry, 'shop')
      await backdate(registry, 'shop', jti, us)
      issued.push({ jti, client_id: 'shop' })
    }
    await redis.hset(registry.keys.identity(0, 'shop'), 'createdUs', 1)
    const done = await revoke(registry, { selector: { identity: 'shop' }, issuedBefore: base })
    t.equal(done.tokens, 1)
    t.equal(await alive(registry, issued), '-++', 'exclusive: issued at that millisecond stays')
  },
)

t.test('a cut-off never moves backwards', async (t) => {
  for (const selector of [{ identity: 'shop' }, { all: true as const }]) {
    const { registry } = await open(t)
    await registerIdentity(registry, { identity: 'shop', scopes: [] })
    const { jti, issuedUs } = await token(registry, 'shop')
    await revoke(registry, { selector })
    await revoke(registry, { selector, issuedBefore: Math.floor(issuedUs / 1000) - 5000 })
    t.equal(await alive(registry, [{ jti, client_id: 'shop' }]), '-')
  }
})

t.test('publishes an unknown token id, with a receipt', async (t) => {
  const { registry, redis } = await open(t, { partitions: 4 })
  for (const jti of [`2-${'A'.repeat(22)}`, `77-${'B'.repeat(22)}`]) {
    const done = await revoke(registry, { selector: { jti } })
    t.equal(done.tokens, 0)
    t.match(done.id, /^[0-3]-/, 'the receipt is in a partition that exists')
    const read = await readFeed(registry, zero(4), 10)
    const selectors = read === 'lost' ? [] : read.revocations.map(({ selector }) => selector)
    t.ok(
      selectors.some((selector) => 'jti' in selector && selector.jti === jti),
      'published',
    )
  }
  t.notOk(await redis.exists(registry.keys.token(2, `2-${'A'.repeat(22)}`)), 'creates no token')
})

t.test('counts over several pages', async (t) => {
  const { registry } = await open(t)
  await registerIdentity(registry, { identity: 'shop', scopes: [] })
  for (let i = 0; i < 12; i += 1) {
    await Promise.all(
      Array.from({ length: 100 }, (_, j) => token(registry, 'shop', { subject: `s${j % 10}` })),
    )
  }
  t.equal((await revoke(registry, { selector: { identity: 'shop', subject: 's3' } })).tokens, 120)
  t.equal((await revoke(registry, { selector: { identity: 'shop' } })).tokens, 1080)
})

t.test('keeps each cut-off as long as a token can live', async (t) => {
  const { registry, redis } = await open(t)
  const key = registry.keys.cutoffs(0, 'shop')
  const days30 = 30 * 86_400_000
  await redis.zadd(key, (Date.now() - days30 - 120_000) * 1000, 's:old')
  await redis.zadd(key, (Date.now() - days30 + 120_000) * 1000, 's:still')
  await revoke(registry, { selector: { identity: 'shop', subject: 'new' } })
  await revoke(registry, { selector: { all: true } })
  t.same(await redis.zrange(key, 0, '-1'), ['s:still', 's:new'])
  for (const kept of [key, registry.keys.cutoffAll(0)]) {
    t.ok((await redis.pttl(kept)) > days30, `${kept} outlives every token`)
  }
})

function zero(partitions: number): string {
  return Array.from({ length: partitions }, () => '0-0').join(',')
}
