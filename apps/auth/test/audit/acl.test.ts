import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '@portcullis/local'
import { close, connect } from '@portcullis/redis'
import t from 'tap'
import { auth } from '../fixtures/auth.js'
import { hello, node } from '../fixtures/node.js'
import { serverProgram } from '../fixtures/replicated-redis.js'

const docs = readFileSync(new URL('../../../../docs/audit.md', import.meta.url), 'utf8')
const skip = serverProgram() === undefined ? 'no redis-server is installed' : false

t.test(
  'auth works as the Redis user of docs/audit.md, which cannot change entries',
  { skip },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'portcullis-acl-'))
    const server = await startRedis({ dir, durable: false })
    t.teardown(async () => {
      await server.stop()
      rmSync(dir, { recursive: true, force: true })
    })
    const operator = connect({ url: server.url, onError: () => {} })
    t.teardown(() => close(operator))
    await operator.connect()
    const [, setUser = ''] = /^(ACL SETUSER .*)$/m.exec(docs) ?? []
    await operator.call('ACL', ...words(setUser).slice(1))

    const url = server.url.replace('unix://', 'unix://portcullis-auth:secret@localhost')
    const self = await auth(t, { REDIS_URL: url, REDIS_PREFIX: 'portcullis', PARTITIONS: '2' })
    const admin = await self.token()
    const shop = await self.identity(['feed', 'tokens:issue', 'subscribe:a'])
    const feed = await node(t, self, await self.token(shop))
    feed.send(hello('node-1'))
    await feed.welcome()
    for (const [method, path, body] of [
      ['POST', '/v1/tokens', { subject: 'ann', scope: 'subscribe:a' }],
      ['POST', '/v1/revocations', { identity: shop.identity, subject: 'ann' }],
      ['POST', `/v1/identities/${shop.identity}/suspend`, undefined],
      ['GET', '/v1/nodes', undefined],
      ['DELETE', `/v1/identities/${shop.identity}`, undefined],
    ] as const) {
      const answer = await self.api(admin, method, path, body)
      t.ok(answer.statusCode < 300, `${method} ${path}: ${answer.body}`)
    }
    t.equal((await self.app.inject('/ready')).statusCode, 200)
    const { entries } = (await self.api(admin, 'GET', '/v1/audit')).json()
    t.equal(entries.length, 10, 'eight requests, a node that joined, and the start')

    const intruder = connect({ url, onError: () => {} })
    t.teardown(() => close(intruder))
    await intruder.connect()
    const keys = await operator.keys('*:audit:*')
    t.ok(keys.length >= 2)
    for (const key of keys) {
      const [[id = ''] = []] = await operator.xrange(key, '-', '+')
      for (const command of [
        ['DEL', key],
        ['UNLINK', key],
        ['XDEL', key, id],
        ['RENAME', key, key.replace('audit', 'gone')],
        ['PEXPIRE', key, '1'],
        ['XSETID', key, '0-1'],
        ['FLUSHALL'],
        ['CONFIG', 'GET', '*'],
        ['EVAL', "return redis.call('DEL', KEYS[1])", '1', key],
        ['EVAL', `return redis.call('DEL', '${key}')`, '0'],
      ]) {
        await t.rejects(
          intruder.call(...(command as [string, ...string[]])),
          /NOPERM|ACL|can't/,
          `${command[0]}`,
        )
      }
    }
    const after = (await self.api(admin, 'GET', '/v1/audit')).json()
    t.same(after.entries, entries)
  },
)

/** Splits a command into words; a group in parentheses is one word. */
function words(command: string): string[] {
  return command.match(/\([^)]*\)|\S+/g) ?? []
}
