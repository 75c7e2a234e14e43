import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { close, connect, script } from '../src/index.js'

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
