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
    t.same(keys.current, old, 'nothing has changed')

    await age(minuteMs)
    await keys.rotate()
    t.equal(keys.current.kid, next)
    t.same(states(keys), ['next', 'current', 'previous'])
    t.equal(kidOf(keys, 'previous'), old.kid)
    t.equal(keys.find(old.kid), old, 'it goes on verifying')
    t.same(
      kids(keys).sort(),
      keys
        .list()
        .map(({ kid }) => kid)
        .sort(),
    )
    await t.rejects(keys.rotate(), { code: 'key_too_young' }, 'the one after it is new')
  },
)

t.test(
  'a previous key goes when no token that it signed can live, and no other goes',
  async (t) => {
    const { open, age } = await keySets(t)
    const keys = await open()
    const old = keys.current.kid
    await age(10 * minuteMs)
    await keys.rotate()
    await age(30 * dayMs)
    await keys.look()
    t.ok(keys.find(old), 'tokens live for 30 days')
    await age(dayMs)
    await keys.look()
    t.equal(keys.find(old), undefined)
    t.same(states(keys), ['next', 'current'])
    t.equal(kids(keys).length, 2)
  },
)

t.test('the schedule is kept once, however many instances look', async (t) => {
  const { open, age } = await keySets(t)
  const sets = await Promise.all(Array.from({ length: 5 }, () => open({ rotationDays: 30 })))
  const [first] = sets
  if (first === undefined) {
    throw new Error('there are five')
  }
  const [old, next] = [first.current.kid, kidOf(first, 'next')]
  const scheduled: string[] = []
  const [, ...heard] = sets
  for (const keys of heard) {
    keys.onScheduled((kid) => scheduled.push(kid))
  }
  const look = () => Promise.all(sets.map((keys) => keys.look()))
  await age(30 * dayMs - minuteMs)
  await look()
  for (const { current } of sets) {
    t.equal(current.kid, old, 'not yet')
  }
  t.equal((first.list()[1]?.rotatesAt ?? 0) - (first.list()[1]?.activatedAt ?? 0), 30 * dayMs)
  await age(minuteMs)
  await look()
  await look()
  for (const keys of sets) {
    t.equal(keys.current.kid, next)
    t.same(keys.list(), first.list(), 'they agree on all of it')
  }
  t.same(states(first), ['next', 'current', 'previous'])
  first.onScheduled((kid) => scheduled.push(kid))
  t.same(scheduled, [next], 'one of them tells of it, also when it was asked later')
  await age(10 * minuteMs)
  await first.rotate()
  await look()
  t.equal(scheduled.length, 1, 'by hand is not on schedule')
})

t.test('the schedule waits for a next key that caches may not have', async (t) => {
  const { open, age } = await keySets(t)
  const keys = await open({ rotationDays: 1 })
  const { kid } = keys.current
  await age(dayMs, kid)
  await keys.look()
  t.equal(keys.current.kid, kid)
  await age(10 * minuteMs)
  await keys.look()
  t.not(keys.current.kid, kid)
})

t.test('without a schedule keys are rotated by hand alone', async (t) => {
  const { open, age } = await keySets(t)
  const keys = await open({ rotationDays: 0 })
  const { kid } = keys.current
  await age(10_000 * dayMs)
  await keys.look()
  t.equal(keys.current.kid, kid)
  t.notHas(keys.list()[1], { rotatesAt: Number })
})

t.test('another algorithm is that of the next key; keys that there are go on', async (t) => {
  const { open, age } = await keySets(t)
  const before = await open()
  const old = before.current
  const keys = await open({ algorithm: 'ES256' })
  t.equal(keys.current.kid, old.kid)
  t.same(
    keys.list().map(({ alg }) => alg),
    ['ES256', 'EdDSA'],
  )
  await before.look()
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
})

t.test('a key that is removed is gone at once, and the next one signs', async (t) => {
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
    t.same(states(keys), ['next', 'current'], `${state}: there is a next one again`)
    t.equal(keys.current.kid, state === 'current' ? next : current)
    await t.resolves(keys.remove(kid), 'again')
    await other.remove(kid)
    t.same(other.list(), keys.list(), 'once')
  }
  await t.rejects(keys.remove('A'.repeat(43)), { code: 'key_not_found' })
  t.same(states(keys), ['next', 'current'])
})

t.test('an instance that has not looked for long does so before it signs', async (t) => {
  const { open, age } = await keySets(t)
  const keys = await open()
  const paused = await open()
  const old = keys.current.kid
  await age(10 * minuteMs)
  await keys.rotate()
  await paused.fresh()
  t.equal(paused.current.kid, old, 'it cannot know')
  const { now } = performance
  t.teardown(() => {
    performance.now = now
  })
  const at = performance.now()
  performance.now = () => at + 16_000
  t.match(paused.ready(), /cannot be read/)
  await paused.fresh()
  t.equal(paused.current.kid, old, 'which harms nobody: the key verifies for 31 days')
  performance.now = () => at + dayMs / 2 + 1
  await paused.fresh()
  t.equal(paused.current.kid, keys.current.kid)
  t.equal(paused.ready(), undefined)
})

t.test('an instance whose look fails knows no less than before', async (t) => {
  const { redis, key, open } = await keySets(t)
  const keys = await open({ secret })
  const before = keys.list()
  await redis.hset(key, 'x', 'damaged')
  await t.rejects(keys.look(), { code: 'key_unreadable' })
  t.same(keys.list(), before)
  await redis.hdel(key, 'x')
  await t.resolves(keys.look())
})

t.test('the secret changes with the previous one at hand', async (t) => {
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
      t.not(text, stored[kid], 'each is encrypted anew')
    }
  }
  t.same((await open({ secret: other })).current, before.current, 'the previous one may go')
  await t.rejects(open({ secret }), { code: 'secret_wrong' })
  await t.resolves(before.look(), 'who has opened them goes on')
})

t.test('there are 64 keys at most', async (t) => {
  const { redis, key, open, age } = await keySets(t)
  const keys = await open()
  const donor = await keySets(t)
  const others = await donor.open()
  for (let n = 0; n < 62; n++) {
    const { kid } = others.current
    await redis.hset(key, kid, (await donor.redis.hget(donor.key, kid)) ?? '')
    await others.remove(kid)
  }
  await keys.look()
  t.equal(keys.list().length, 64)
  await age(10 * minuteMs)
  await t.rejects(keys.rotate(), { code: 'too_many_keys' })
})
