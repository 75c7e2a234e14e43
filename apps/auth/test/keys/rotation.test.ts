import t from 'tap'
import type { KeySet } from '../../src/keys/index.js'
import { keySets } from './fixtures/key-sets.js'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const secret = 'a secret of more than 32 characters, for tests'

const states = (keys: KeySet) => keys.list().map(({ state }) => state)
const kidOf = (keys: KeySet, state: string) =>
  keys.list().find((key) => key.state === state)?.kid ?? ''
const kids = (keys: KeySet) => keys.jwks().keys.map(({ kid }) => kid)

t.test(
  'the next key takes over once every cache has it, and all keys stay published',
  async (t) => {
    const { open, age } = await keySets(t)
    const keys = await open()
    const old = keys.current
    const next = kidOf(keys, 'next')
    await t.rejects(keys.rotate(), { code: 'key_too_young' })
    await age(9 * minuteMs)
    await t.rejects(keys.rotate(), /try again in (59|60) s/)
    t.same(keys.current, old, 'the refused rotation changes nothing')

    await age(minuteMs)
    await keys.rotate()
    t.equal(keys.current.kid, next)
    t.same(states(keys), ['next', 'current', 'previous'])
    t.equal(kidOf(keys, 'previous'), old.kid)
    t.equal(keys.find(old.kid), old, 'the previous key still verifies')
    t.same(
      kids(keys).sort(),
      keys
        .list()
        .map(({ kid }) => kid)
        .sort(),
    )
    await t.rejects(keys.rotate(), { code: 'key_too_young' }, 'the new next key is too young')
  },
)

t.test(
  'a previous key is removed when every token that it signed has expired; others stay',
  async (t) => {
    const { open, age } = await keySets(t)
    const keys = await open()
    const old = keys.current.kid
    await age(10 * minuteMs)
    await keys.rotate()
    await age(30 * dayMs)
    await keys.refresh()
    t.ok(keys.find(old), 'kept while tokens live for 30 days')
    await age(dayMs)
    await keys.refresh()
    t.equal(keys.find(old), undefined)
    t.same(states(keys), ['next', 'current'])
    t.equal(kids(keys).length, 2)
  },
)

t.test('one of several instances keeps the schedule', async (t) => {
  const { open, age } = await keySets(t)
  const sets = await Promise.all(Array.from({ length: 5 }, () => open({ rotationDays: 30 })))
  const [first] = sets
  if (first === undefined) {
    throw new Error('there are five')
  }
  const [old, next] = [first.current.kid, kidOf(first, 'next')]
  const scheduled: string[] = []
  const [, ...others] = sets
  for (const keys of others) {
    keys.onScheduled((kid) => scheduled.push(kid))
  }
  const refreshAll = () => Promise.all(sets.map((keys) => keys.refresh()))
  await age(30 * dayMs - minuteMs)
  await refreshAll()
  for (const { current } of sets) {
    t.equal(current.kid, old, 'not yet')
  }
  t.equal((first.list()[1]?.rotatesAt ?? 0) - (first.list()[1]?.activatedAt ?? 0), 30 * dayMs)
  await age(minuteMs)
  await refreshAll()
  await refreshAll()
  for (const keys of sets) {
    t.equal(keys.current.kid, next)
    t.same(keys.list(), first.list(), 'all instances agree')
  }
  t.same(states(first), ['next', 'current', 'previous'])
  first.onScheduled((kid) => scheduled.push(kid))
  t.same(scheduled, [next], 'one instance reports it, also to a later listener')
  await age(10 * minuteMs)
  await first.rotate()
  await refreshAll()
  t.equal(scheduled.length, 1, 'a manual rotation is not reported as scheduled')
})

t.test('the schedule waits until caches have the next key', async (t) => {
  const { open, age } = await keySets(t)
  const keys = await open({ rotationDays: 1 })
  const { kid } = keys.current
  await age(dayMs, kid)
  await keys.refresh()
  t.equal(keys.current.kid, kid)
  await age(10 * minuteMs)
  await keys.refresh()
  t.not(keys.current.kid, kid)
})

t.test('without a schedule only a manual rotation changes keys', async (t) => {
  const { open, age } = await keySets(t)
  const keys = await open({ rotationDays: 0 })
  const { kid } = keys.current
  await age(10_000 * dayMs)
  await keys.refresh()
  t.equal(keys.current.kid, kid)
  t.notHas(keys.list()[1], { rotatesAt: Number })
})

t.test(
  'another algorithm applies to the next key; existing keys keep their algorithm',
  async (t) => {
    const { open, age } = await keySets(t)
    const before = await open()
    const old = before.current
    const keys = await open({ algorithm: 'ES256' })
    t.equal(keys.current.kid, old.kid)
    t.same(
      keys.list().map(({ alg }) => alg),
      ['ES256', 'EdDSA'],
    )
    await before.refresh()
    t.same(before.list(), keys.list(), 'an instance with the other setting does not change it back')
    await age(10 * minuteMs)
    await keys.rotate()
    t.equal(keys.current.alg, 'ES256')
    t.equal(keys.find(old.kid)?.alg, 'EdDSA')
    t.same(
      keys
        .jwks()
        .keys.map(({ alg }) => alg)
        .sort(),
      ['ES256', 'ES256', 'EdDSA'],
    )
  },
)

t.test('removing a key takes effect at once, and the next key signs', async (t) => {
  const { open, age } = await keySets(t)
  const keys = await open()
  const other = await open()
  await age(10 * minuteMs)
  await keys.rotate()
  for (const state of ['previous', 'next', 'current'] as const) {
    const kid = kidOf(keys, state)
    const [current, next] = [kidOf(keys, 'current'), kidOf(keys, 'next')]
    await keys.remove(kid)
    t.equal(keys.find(kid), undefined)
    t.notOk(kids(keys).includes(kid))
    t.same(states(keys), ['next', 'current'], `${state}: there is a next key again`)
    t.equal(keys.current.kid, state === 'current' ? next : current)
    await t.resolves(keys.remove(kid), 'removing it again succeeds')
    await other.remove(kid)
    t.same(other.list(), keys.list(), 'removes nothing more')
  }
  await t.rejects(keys.remove('A'.repeat(43)), { code: 'key_not_found' })
  t.same(states(keys), ['next', 'current'])
})

t.test('an instance that has not read the keys for long reads them before it signs', async (t) => {
  const { open, age } = await keySets(t)
  const keys = await open()
  const paused = await open()
  const old = keys.current.kid
  await age(10 * minuteMs)
  await keys.rotate()
  await paused.ensureFresh()
  t.equal(paused.current.kid, old, 'too recent to read again')
  const { now } = performance
  t.teardown(() => {
    performance.now = now
  })
  const at = performance.now()
  performance.now = () => at + 16_000
  t.match(paused.ready(), /cannot be read/)
  await paused.ensureFresh()
  t.equal(paused.current.kid, old, 'still harmless: the key verifies for 31 days')
  performance.now = () => at + dayMs / 2 + 1
  await paused.ensureFresh()
  t.equal(paused.current.kid, keys.current.kid)
  t.equal(paused.ready(), undefined)
})

t.test('an instance keeps its keys when reading fails', async (t) => {
  const { redis, key, open } = await keySets(t)
  const keys = await open({ secret })
  const before = keys.list()
  await redis.hset(key, 'x', 'damaged')
  await t.rejects(keys.refresh(), { code: 'key_unreadable' })
  t.same(keys.list(), before)
  await redis.hdel(key, 'x')
  await t.resolves(keys.refresh())
})

t.test('changes the secret when the previous one is given', async (t) => {
  const { redis, key, open } = await keySets(t)
  const before = await open({ secret })
  const other = `${secret}, another`
  await t.rejects(open({ secret: other }), { code: 'secret_wrong' })
  await t.rejects(open({ secret: other, previous: `${secret}!` }), { code: 'secret_wrong' })
  const stored = await redis.hgetall(key)
  const keys = await open({ secret: other, previous: secret })
  t.same(keys.current, before.current)
  for (const [kid, text] of Object.entries(await redis.hgetall(key))) {
    if (kid !== 'current') {
      t.not(text, stored[kid], 'each key is encrypted again')
    }
  }
  t.same(
    (await open({ secret: other })).current,
    before.current,
    'the previous secret is no longer needed',
  )
  await t.rejects(open({ secret }), { code: 'secret_wrong' })
  await t.resolves(before.refresh(), 'an instance with open keys continues')
})

t.test('keeps at most 64 keys', async (t) => {
  const { redis, key, open, age } = await keySets(t)
  const keys = await open()
  const donor = await keySets(t)
  const others = await donor.open()
  for (let n = 0; n < 62; n++) {
    const { kid } = others.current
    await redis.hset(key, kid, (await donor.redis.hget(donor.key, kid)) ?? '')
    await others.remove(kid)
  }
  await keys.refresh()
  t.equal(keys.list().length, 64)
  await age(10 * minuteMs)
  await t.rejects(keys.rotate(), { code: 'too_many_keys' })
})
