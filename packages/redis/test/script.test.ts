import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { close, connect, isRefusal, ServerClocks, script } from '../src/index.js'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

t.test('runs a script with its keys and arguments, also after Redis forgot it', async (t) => {
  const redis = connect({ url, onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.teardown(() => close(redis))
  const file = join(t.testdir(), 'echo.lua')
  // Random text, so that this Redis does not have the script yet.
  writeFileSync(file, `-- ${Math.random()}\nreturn {KEYS[1], ARGV[1], ARGV[2]}`)
  const echo = script<[string, string, string]>(pathToFileURL(file))
  t.same(await echo(redis, ['k'], ['a', 7]), ['k', 'a', '7'], 'sends the text of an unknown script')
  t.same(await echo(redis, ['k'], ['b', 8]), ['k', 'b', '8'], 'sends the hash of a known script')
})

t.test('passes an error of the script to the caller', async (t) => {
  const redis = connect({ url, onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.teardown(() => close(redis))
  const file = join(
    t.testdir({ 'bad.lua': 'return redis.error_reply("NOPE it is wrong")' }),
    'bad.lua',
  )
  await t.rejects(script(pathToFileURL(file))(redis, [], []), { message: /NOPE/ })
})

t.test('runs a script before its deadline, and not after', async (t) => {
  const redis = connect({ url, onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.teardown(() => close(redis))
  const key = `deadline:${Math.random()}`
  const file = join(
    t.testdir({ 'set.lua': "return redis.call('SET', KEYS[1], table.concat(ARGV, ' '))" }),
    'set.lua',
  )
  const set = script<string>(pathToFileURL(file))
  const clocks = new ServerClocks(redis)
  const deadlines: number[] = []
  const setTo = (value: string, until: number) =>
    clocks.run(key, until, (deadline) => {
      deadlines.push(deadline)
      return set(redis, [key], [value, 1], deadline)
    })
  t.equal(await setTo('a', performance.now() + 1000), 'OK')
  t.equal(await redis.get(key), 'a 1', 'the script does not see the deadline')
  t.ok(
    Math.abs((deadlines[0] ?? 0) - Date.now() - 1000) < 900,
    'the deadline is on the clock of Redis',
  )
  const late = await setTo('b', performance.now() - 1).catch((error) => error)
  t.match(late, { code: 'REDIS_TOO_LATE' })
  t.ok(isRefusal(late), 'a late script is a refusal')
  t.notOk(isRefusal(new Error('Command timed out')), 'a timeout is not a refusal')
  t.equal(await redis.get(key), 'a 1')
  const order: number[] = []
  redis.emit('close')
  await Promise.all(
    [1, 2, 3].map((n) => clocks.run(key, performance.now() + 1000, async () => order.push(n))),
  )
  t.same(order, [1, 2, 3], 'calls keep their order while the clock is read')
  await redis.del(key)
})

t.test('sends no script when the machine was suspended while the clock was read', async (t) => {
  const redis = connect({ url, onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.teardown(() => close(redis))
  const clocks = new ServerClocks(redis)
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const sent: number[] = []
  const running = clocks.run('suspended', performance.now() + 1000, async () => sent.push(1))
  // While a machine is suspended its wall clock continues, and its monotonic clock stops.
  Date.now = () => now() + 700
  const refused = await running.catch((error) => error)
  t.match(refused, { code: 'REDIS_TOO_LATE' })
  t.ok(isRefusal(refused))
  t.same(sent, [])
})

t.test('an interruption between the readings of two clocks is not a suspend', async (t) => {
  const redis = connect({ url, onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.teardown(() => close(redis))
  const clocks = new ServerClocks(redis)
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  // Another process takes the CPU for 10 ms, as it happens on a busy machine.
  Date.now = () => {
    Date.now = now
    const wall = now()
    const until = performance.now() + 10
    while (performance.now() < until) {}
    return wall
  }
  const sent = await clocks.run('busy', performance.now() + 60_000, async () => 'sent')
  t.equal(sent, 'sent')
})
