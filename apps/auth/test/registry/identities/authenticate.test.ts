import t from 'tap'
import {
  authenticate,
  getIdentity,
  registerIdentity,
  suspendIdentity,
} from '../../../src/registry/index.js'
import { monitor } from '../fixtures/monitor.js'
import { open } from '../fixtures/open.js'

/** Returns the commands with keys that Redis executes for `work`, in order, including those of scripts. */
async function commandsOf(
  t: { teardown(callback: () => void): void },
  redis: Awaited<ReturnType<typeof open>>['redis'],
  prefix: string,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const seen: string[] = []
  let end: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const stop = await monitor(redis, (args) => {
    if (args.includes(`${prefix}-end`)) {
      end()
    } else if (args.some((arg) => arg.includes(prefix))) {
      seen.push(args[0]?.toLowerCase() ?? '')
    }
  })
  t.teardown(stop)
  await work()
  await redis.echo(`${prefix}-end`)
  await ended
  return seen
}

t.test('every wrong code runs the same commands, in one round trip', async (t) => {
  const { registry, redis, prefix } = await open(t)
  const shop = await registerIdentity(registry, { identity: 'shop', scopes: ['subscribe:*'] })
  const other = await registerIdentity(registry, { identity: 'other', scopes: [] })
  const gone = await registerIdentity(registry, {
    identity: 'gone',
    scopes: [],
    codeTtlSeconds: 3600,
  })
  const key = registry.keys.codes(0, 'gone')
  for (const [hash, value] of Object.entries(await redis.hgetall(key))) {
    await redis.hset(key, hash, value.replace(/\d+$/, '1'))
  }
  await registerIdentity(registry, { identity: 'paused', scopes: ['admin'] })
  await suspendIdentity(registry, 'paused')
  const failing = [
    ['unknown', shop.registrationCode],
    ['shop', 'wrong'],
    ['shop', ''],
    ['shop', other.registrationCode],
    ['gone', gone.registrationCode],
    ['paused', 'wrong'],
    ['x'.repeat(384), 'y'.repeat(384)],
  ] as const
  // Loads the script into Redis.
  await authenticate(registry, 'shop', shop.registrationCode)
  const reads = ['evalsha', 'exists', 'hget', 'hget']
  const ways = [
    [{ from: '10.0.0.1' }, [...reads, 'hincrby', 'hset', 'pexpire']],
    [{ from: '10.0.0.2', counts: false }, reads],
  ] as const
  const refusals = new Set<string>()
  for (const [shown, expected] of ways) {
    for (const [identity, code] of failing) {
      const commands = await commandsOf(t, redis, prefix, () =>
        authenticate(registry, identity, code, shown).catch((error: Error) =>
          refusals.add(error.message),
        ),
      )
      t.same(commands, expected, identity.slice(0, 10))
    }
  }
  t.equal(refusals.size, 1, 'all get the same answer')
})

t.test('only a correct code learns that the identity is suspended', async (t) => {
  const { registry } = await open(t)
  const paused = await registerIdentity(registry, { identity: 'paused', scopes: [] })
  await suspendIdentity(registry, 'paused')
  await t.rejects(authenticate(registry, 'paused', 'wrong'), { code: 'invalid_client' })
  await t.rejects(authenticate(registry, 'paused', paused.registrationCode), {
    code: 'identity_suspended',
  })
})

t.test('waits double up to a maximum; a correct code never waits, and resets them', async (t) => {
  const opened = await open(t)
  const wrongCodes = { allowed: 2, waitMs: 10_000, maxWaitMs: 60_000 }
  const registry = { ...opened.registry, wrongCodes }
  const { redis, prefix } = opened
  const { registrationCode } = await registerIdentity(registry, { identity: 'shop', scopes: [] })
  const from = '10.0.0.1'
  const wrong = (counts = true) => authenticate(registry, 'shop', 'wrong', { from, counts })
  const counters = () => redis.keys(`{${prefix}:*wrong-codes:*`)
  /** Moves the end of every wait to the past. */
  const timePasses = async () => {
    for (const key of await counters()) {
      await redis.hset(key, 'untilMs', '1')
    }
  }
  const waitNow = async () => {
    const error = await wrong().catch((error) => error)
    t.equal(error.code, 'too_many_wrong_codes')
    return Math.ceil(error.waitMs / 10_000) * 10
  }
  await t.rejects(wrong(), { code: 'invalid_client' })
  for (const seconds of [10, 20, 40, 60, 60]) {
    await t.rejects(wrong(), { code: 'invalid_client' })
    t.equal(await waitNow(), seconds)
    t.equal(await waitNow(), seconds, 'a wrong code during a wait does not extend it')
    await t.rejects(wrong(false), { code: 'too_many_wrong_codes' })
    await timePasses()
    const [key = ''] = await counters()
    const ttl = await redis.pttl(key)
    t.ok(
      ttl > seconds * 1000 && ttl <= seconds * 1000 + 60_000,
      'kept longer than the wait, but not for ever',
    )
  }
  await t.rejects(wrong(), { code: 'invalid_client' })
  await t.rejects(wrong(), { code: 'too_many_wrong_codes' })
  await authenticate(registry, 'shop', registrationCode, { from })
  t.same(await counters(), [], 'forgotten')
  await t.rejects(wrong(false), { code: 'invalid_client' })
  t.same(await counters(), [], 'a code that is not counted writes nothing')
})

t.test('wrong codes do not affect other addresses or other identities', async (t) => {
  const opened = await open(t, { partitions: 4 })
  const registry = {
    ...opened.registry,
    wrongCodes: { allowed: 1, waitMs: 60_000, maxWaitMs: 60_000 },
  }
  for (const identity of ['shop', 'other']) {
    await registerIdentity(registry, { identity, scopes: [] })
  }
  const stranger = { from: '10.6.6.6' }
  await t.rejects(authenticate(registry, 'shop', 'x', stranger), { code: 'invalid_client' })
  await t.rejects(authenticate(registry, 'shop', 'y', stranger), { code: 'too_many_wrong_codes' })
  await t.rejects(authenticate(registry, 'shop', 'y', { from: '10.0.0.1' }), {
    code: 'invalid_client',
  })
  await t.rejects(authenticate(registry, 'other', 'y', stranger), { code: 'invalid_client' })
  t.equal((await getIdentity(registry, 'shop')).state, 'active')
})
