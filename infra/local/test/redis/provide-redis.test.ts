import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { findServer } from '../../src/redis/find-server.js'
import { provideRedis } from '../../src/redis/provide-redis.js'

const step = <T>(_title: string, work: () => Promise<T>) => work()
const path = process.env['PATH'] ?? ''
// As on a fresh machine; each case sets what it has.
delete process.env['REDIS_URL']

t.test('uses REDIS_URL and starts nothing', async (t) => {
  const dir = t.testdir()
  const own = await provideRedis({ dir, durable: false, step })
  t.teardown(() => own.private?.stop())
  t.ok(own.private, 'without it, a private server')
  process.env['REDIS_URL'] = own.url
  t.teardown(() => delete process.env['REDIS_URL'])
  t.same(await provideRedis({ dir, durable: false, step }), { url: own.url })
})

t.test('rejects a broken REDIS_URL, even if a server is installed', async (t) => {
  process.env['REDIS_URL'] = 'redis://127.0.0.1:1'
  t.teardown(() => delete process.env['REDIS_URL'])
  await t.rejects(provideRedis({ dir: t.testdir(), durable: false, step }), {
    code: 'redis_unusable',
  })
})

t.test('names the command that installs Redis if no way works', async (t) => {
  process.env['PATH'] = t.testdir()
  t.teardown(() => (process.env['PATH'] = path))
  await t.rejects(provideRedis({ dir: t.testdir(), durable: false, step }), {
    code: 'redis_missing',
    message: /^Portcullis needs Redis 7; run `.+`, or set REDIS_URL, and start again$/,
  })
})

/**
 * Speaks as much of docker's command line as we use, and runs the container's command right here.
 * `--user`, `-v` and the image's name go nowhere; the port is the one that it chose itself.
 */
const docker = (server: string) => `#!/bin/sh
PATH=${path}
here=$(dirname "$0")
case "$1" in
  info) exit 0 ;;
  rm) echo "$3" >> "$here/removed"; exit 0 ;;
  port) [ -f "$here/port" ] && echo "127.0.0.1:$(cat "$here/port")"; exit 0 ;;
  run)
    echo "$@" > "$here/arguments"
    for command; do :; done
    port=$((20000 + $$ % 20000))
    echo $port > "$here/port"
    cd "$here"
    exec sh -c "$(echo "$command" | sed "s#redis-server#${server} --port $port --bind 127.0.0.1#")"
    ;;
esac
`

t.test('runs the official image in Docker, with a password, on loopback', async (t) => {
  const server = findServer(path)
  if (server === undefined) {
    throw new Error('this test needs a redis-server')
  }
  // One call: a second one would empty the directory.
  const dir = t.testdir({ bin: { docker: docker(server) }, state: {} })
  const bin = join(dir, 'bin')
  chmodSync(join(bin, 'docker'), 0o755)
  process.env['PATH'] = bin
  t.teardown(() => (process.env['PATH'] = path))
  const redis = await provideRedis({ dir: join(dir, 'state'), durable: true, step })
  t.teardown(() => redis.private?.kill())
  const { password, hostname } = new URL(redis.url)
  t.equal(hostname, '127.0.0.1')
  t.ok(password.length >= 43, 'a password of 256 bits')
  const commands = connect({ url: redis.url, onError: () => undefined })
  t.teardown(() => close(commands))
  await commands.connect()
  t.equal(await commands.ping(), 'PONG')
  t.equal((await commands.config('GET', 'appendonly'))[1], 'yes')
  await redis.private?.stop()
})
