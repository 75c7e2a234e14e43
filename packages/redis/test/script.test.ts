import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { close, connect, isRefusal, ServerClocks, script } from '../src/index.js'

const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'

t.test('a script runs with its keys and arguments, also after Redis forgot it', async (t) => {
  const redis = connect({ url, onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.teardown(() => close(redis))
  const file = join(t.testdir(), 'echo.lua')
  // A text of its own, so that no other test has it cached in the same Redis.
  writeFileSync(file, `-- ${Math.random()}\nreturn {KEYS[1], ARGV[1], ARGV[2]}`)
  const echo = script<[string, string, string]>(pathToFileURL(file))
  t.same(
    await echo(redis, ['k'], ['a', 7]),
    ['k', 'a', '7'],
    'sent whole: Redis does not know it yet',
  )
  t.same(await echo(redis, ['k'], ['b', 8]), ['k', 'b', '8'], 'sent by its hash')
})

t.test('an error of the script reaches the caller', async (t) => {
  const redis = connect({ url, onError: (error) => t.fail(error.message) })
  await redis.connect()
  t.teardown(() => close(redis))
  const file = join(
    t.testdir({ 'bad.lua': 'return redis.error_reply("NOPE it is wrong")' }),
    'bad.lua',
  )
  await t.rejects(script(pathToFileURL(file))(redis, [], []), { message: /NOPE/ })
})

t.test('a script with a deadline runs before it, and not after', async (t) => {
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
  t.equal(clocks.deadline(key, performance.now() + 60_000), 0, 'not before the clock was read')
  await clocks.read(key)
  const soon = performance.now() + 1000
  t.ok(Math.abs(clocks.deadline(key, soon) - Date.now() - 1000) < 900)
  t.equal(await set(redis, [key], ['a', 1], clocks.deadline(key, soon)), 'OK')
  t.equal(await redis.get(key), 'a 1', 'the deadline is no argument of the script')
  const past = clocks.deadline(key, performance.now() - 1)
  const late = await set(redis, [key], ['b', 2], past).catch((error) => error)
  t.match(late, { code: 'REDIS_TOO_LATE' })
  t.ok(isRefusal(late), 'it will not happen any more')
  t.notOk(isRefusal(new Error('Command timed out')), 'it may still happen')
  t.equal(await redis.get(key), 'a 1')
  clocks.forget(key)
  t.equal(clocks.deadline(key, soon), 0)
  await redis.del(key)
})
