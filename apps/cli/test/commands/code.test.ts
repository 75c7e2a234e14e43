import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const base = '/v1/identities/shop%2Feu'
const secret = 'shown-this-once'
const added = { id: 'code2', createdAt: 1, expiresAt: 1_700_000_000_000, registrationCode: secret }
const routes = {
  [`POST ${base}/registration-codes`]: { status: 201, body: added },
  [`DELETE ${base}/registration-codes/code2`]: { status: 204 },
  [`GET ${base}`]: {
    body: {
      identity: 'shop/eu',
      state: 'active',
      scopes: [],
      labels: [],
      createdAt: 1,
      registrationCodes: [
        { id: 'code1', createdAt: Date.now() - 217_800_000 },
        { id: 'code2', createdAt: Date.now() - 217_800_000, expiresAt: Date.now() + 217_800_000 },
      ],
    },
  },
}

t.test('add, list and remove', async (t) => {
  const { cwd, asked } = await installation(t, { routes })
  const terminal = { columns: 80, rows: 24 }
  const env = { NO_COLOR: '1' }
  const shown = await run(['code', 'add', 'shop/eu', '--ttl', '60'], { cwd, terminal, env })
  t.match(
    shown.stdout,
    /id +code2\nends +2023-11-14T22:13:20.000Z\n\nregistration code +shown-this/,
  )
  t.same(JSON.parse(asked.at(-1)?.body ?? ''), { ttlSeconds: 60 })
  const listed = await run(['code', 'list', 'shop/eu'], { cwd })
  t.match(listed.stdout, /code1 +2d 12h ago +never\ncode2 +2d 12h ago +in 2d 12h\n/)
  t.equal(
    (await run(['code', 'remove', 'shop/eu', 'code2'], { cwd })).stdout,
    'removed code2 of shop/eu\n',
  )
})

t.test('rotate puts the new code where the old one was, and lets that end', async (t) => {
  const { cwd, asked } = await installation(t, { routes })
  writeFileSync(join(cwd, 'code'), 'the old one\n', { mode: 0o600 })
  const args = ['code', 'rotate', 'shop/eu', '--out', 'code']
  const { code, stdout, stderr } = await run(args, { cwd })
  t.equal(code, 0, stderr)
  t.equal(readFileSync(join(cwd, 'code'), 'utf8'), `${secret}\n`)
  t.notMatch(stdout, secret)
  t.same(JSON.parse(asked.at(-1)?.body ?? ''), { expireOthersInSeconds: 3600 })
  await run([...args, '--overlap', '0', '--json'], { cwd })
  t.same(JSON.parse(asked.at(-1)?.body ?? ''), { expireOthersInSeconds: 0 })
  const failing = await installation(t, { routes: {} })
  writeFileSync(join(failing.cwd, 'code'), 'the old one\n')
  t.equal((await run(args, { cwd: failing.cwd })).code, 1)
  t.equal(readFileSync(join(failing.cwd, 'code'), 'utf8'), 'the old one\n')
})

t.test('a code in place of its id is not sent', async (t) => {
  const { cwd, asked } = await installation(t, { routes })
  const taken = 'a'.repeat(43)
  const { code, stderr } = await run(['code', 'remove', 'shop/eu', taken], { cwd })
  t.equal(code, 2)
  t.notMatch(stderr, taken)
  t.equal(asked.length, 0)
})
