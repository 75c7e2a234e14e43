import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRedis } from '@portcullis/local'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { realInstallation } from '../fixtures/real-installation.js'
import { keys, openTerminal } from '../fixtures/real-terminal.js'
import { run } from '../fixtures/run.js'

/** A user's steps at several terminals, in order, with one real installation. */
t.test('works at a terminal with a real installation', async (t) => {
  const durable = await startRedis({ dir: t.testdir(), durable: true })
  t.teardown(() => durable.stop())
  const { cwd, realtime, userToken } = await realInstallation(
    t,
    { realtime: 1 },
    { REDIS_URL: durable.url },
  )

  await t.test('doctor warns only of the Redis that auth and the node share', async (t) => {
    const terminal = openTerminal(t, ['doctor'], { cwd, columns: 72 })
    t.equal(await terminal.ended, 0, terminal.screen())
    t.match(terminal.screen(), /\n\d+ ok, 1 warning, 0 failed$/)
    t.match(
      terminal.screen(),
      /^warning {2}realtime-\d+ redis +its user can read auth's registry$/m,
    )
    t.match(
      terminal.screen(),
      /^ok {7}redis {19}Redis \S+, configured as the\n {33}guarantee needs$/m,
      'wrapped',
    )
    t.match(terminal.screen(), /^ok {7}realtime-\d+ socket +opens with your token$/m)
    t.ok(terminal.styled('ok       redis clock'))
  })

  const scopes = ['subscribe', 'publish', 'presence', 'history']
  const { access_token: token } = await userToken(
    'ada',
    scopes.map((action) => `${action}:demo:*`).join(' '),
  )
  writeFileSync(join(cwd, 'ada.token'), token)
  const ada = openTerminal(t, ['connect', 'demo:hello', '--token-file', 'ada.token'], { cwd })

  await t.test('answers typed commands above the prompt', async () => {
    await ada.shows(/connected to ws:.*\nsubscribed to demo:hello\n>$/)
    ada.enter('publish demo:hello {"n": 1}')
    await ada.shows('published into demo:hello')
    await ada.shows(/^\d\d:\d\d:\d\d\.\d{3} {2}demo:hello {2}\{"n":1\}$/m)
    ada.enter('history demo:hello 5')
    await ada.shows('\ndemo:hello is at offset 1\n1  {"n":1}\n')
    ada.enter('presence demo:hello')
    await ada.shows(/\nUSER {2}CLIENT\nada {3}[\w-]{36}\n/)
    ada.enter('rpc greet "x"')
    await ada.shows('rpc greet: 108 not available')
    ada.enter('subscribe secret')
    await ada.shows('cannot subscribe to secret: 103 permission denied')
    ada.enter('status')
    await ada.shows(
      /connection {2}connected\n.*\n.*\n.*\n\nCHANNEL .*\ndemo:hello {2}subscribed +1$/m,
    )
    ada.enter('fly')
    await ada.shows('unknown command fly; type help for a list')
    ada.enter('history demo:hello none')
    await ada.shows('history demo:hello: n must be a whole number, 1 or more')
    ada.enter('publish demo:hello')
    await ada.shows('usage: publish <channel> <data>')
    ada.enter('help')
    await ada.shows(/^quit +stop, as Ctrl-C and Ctrl-D do\n>$/m)
  })

  const bob = openTerminal(t, ['connect', '--subject', 'bob', '--scope', 'subscribe:demo:*'], {
    cwd,
    columns: 60,
    env: { NO_COLOR: '1' },
  })
  await t.test('incoming lines do not change the typed line', async (t) => {
    ada.enter('watch demo:hello')
    await ada.shows(/demo:hello {2}1 here: ada\n>$/)
    const long = `publish demo:hello "${'a long line '.repeat(6)}"`
    ada.type(long)
    await ada.shows(/a long line "$/)
    ada.type(keys.left, keys.left)
    await bob.shows('connected to')
    bob.enter('subscribe demo:hello')
    const typed = `> ${long}`
    await ada.shows(`+ bob  2 here: ada, bob\n${typed.slice(0, 80)}\n${typed.slice(80)}`)
    ada.type('!')
    await ada.shows(/line! "$/)
    ada.resize(100, 24)
    ada.type('?')
    await ada.shows(/line!\? "$/)
    t.equal(ada.screen().split('> publish demo:hello "a').length, 2, 'the typed line is shown once')
    ada.type(keys.enter)
    await bob.shows(/"a long line .* line!\? "/s)
  })

  await t.test('Tab completes commands and channels, the up arrow recalls lines', async () => {
    ada.type('unw', keys.backspace, 's')
    await ada.shows(/> uns$/)
    ada.type(keys.tab)
    await ada.shows(/> unsubscribe$/)
    ada.type('de')
    await ada.shows(/> unsubscribe de$/)
    ada.type(keys.tab)
    await ada.shows(/> unsubscribe demo:hello$/)
    ada.type(keys.enter)
    await ada.shows(/unsubscribed from demo:hello\n>$/)
    ada.type(keys.up)
    await ada.shows(/> unsubscribe demo:hello$/)
    ada.type(keys.enter)
    await ada.shows(/not subscribed to demo:hello\n>$/)
  })

  await t.test('Ctrl-C stops and erases the typed line', async (t) => {
    bob.type('half a li')
    await bob.shows(/> half a li$/)
    bob.type(keys.ctrlC)
    t.equal(await bob.ended, 0)
    t.notMatch(bob.screen(), 'half a li')
    t.notOk(bob.styled('subscribed to'), 'NO_COLOR')
    t.ok(ada.styled('type help for'))
  })

  await t.test('a revocation shows the receipt on one terminal and closes the other', async (t) => {
    ada.type('publ')
    await ada.shows(/> publ$/)
    const revoke = openTerminal(t, ['revoke', '--subject', 'ada'], { cwd, columns: 60 })
    t.equal(await revoke.ended, 0)
    t.match(revoke.screen(), /^revoked 1 token, closed 1 connection complete\n/)
    t.match(revoke.screen(), /\nrealtime-\d+ +acked +1 +\d+\.\d$/)
    t.equal(await ada.ended, 3)
    t.match(ada.screen(), /\nportcullis: closed 4500 token revoked$/)
    t.notMatch(ada.screen(), '> publ\n')
  })

  await t.test('doctor names each fault', async (t) => {
    const redis = connect({ url: durable.url, onError: () => undefined })
    t.teardown(() => close(redis))
    await redis.connect()
    await redis.config('SET', 'appendfsync', 'everysec')
    await redis.config('SET', 'maxmemory', '1gb', 'maxmemory-policy', 'allkeys-lru')
    await realtime[0].kill()
    const { code, stdout, stderr } = await run(['doctor'], { cwd })
    t.equal(code, 1)
    const gone = `realtime-${new URL(realtime[0].url).port}`
    t.match(
      stdout,
      new RegExp(`^failed +${gone} lease +away: it has no connection to auth\n +→ `, 'm'),
    )
    t.match(stdout, new RegExp(`^failed +${gone} +cannot reach realtime at .*refused`, 'm'))
    t.match(stdout, /^warning +redis +appendfsync everysec: a power cut loses up to two seconds /m)
    t.match(
      stdout,
      /^failed +redis +maxmemory-policy allkeys-lru: .*\n +→ set maxmemory-policy noeviction$/m,
    )
    t.match(stderr, /^portcullis: 3 of \d+ checks failed\n$/)
  })
})
