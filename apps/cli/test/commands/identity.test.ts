import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { id, inTurn, receipt } from '../fixtures/receipts.js'
import { run } from '../fixtures/run.js'

const identity = {
  identity: 'shop/eu',
  state: 'active',
  scopes: ['subscribe:news:*', 'tokens:issue'],
  tokenTtlSeconds: 3600,
  labels: ['team:shop'],
  createdAt: 1_700_000_000_000,
  registrationCodes: [{ id: 'code1', createdAt: 1_700_000_000_000 }],
}
const revocation = {
  id: '0-abcdefghijklmnopqrstuv',
  at: 1_700_000_000_000,
  tokens: 2,
  complete: true,
  nodes: [],
  auths: [],
  selector: { identity: 'shop/eu' },
}
const secret = 'shown-this-once'

const register = ['identity', 'register', 'shop/eu', '--scope', 'subscribe:news:* tokens:issue']
const registered = {
  'POST /v1/identities': { status: 201, body: { ...identity, registrationCode: secret } },
}
const terminal = { columns: 80, rows: 24 }

t.test('register sends the given settings and shows the code once, on a terminal', async (t) => {
  const { cwd, asked } = await installation(t, { routes: registered })
  const more = [
    '--ttl',
    '60',
    '--label',
    'a',
    '--label',
    'b',
    '--node',
    'shop-*',
    '--code-ttl',
    '9',
  ]
  const outcome = await run([...register, ...more], { cwd, terminal, env: { NO_COLOR: '1' } })
  t.equal(outcome.code, 0, outcome.stderr)
  t.match(outcome.stdout, /registration code +shown-this-once\nStore it now/)
  t.same(JSON.parse(asked[1]?.body ?? ''), {
    identity: 'shop/eu',
    scopes: ['subscribe:news:*', 'tokens:issue'],
    tokenTtlSeconds: 60,
    labels: ['a', 'b'],
    nodes: ['shop-*'],
    codeTtlSeconds: 9,
  })
  t.equal(asked[1]?.headers.authorization, 'Bearer access-token-of-admin')
  const json = await run([...register, '--json'], { cwd })
  t.equal(JSON.parse(json.stdout).registrationCode, secret, '--json shows the code')
})

t.test('no code is created for a pipe', async (t) => {
  const { cwd, asked } = await installation(t, { routes: registered })
  for (const args of [register, ['code', 'add', 'shop'], ['code', 'rotate', 'shop']]) {
    const { code, stderr } = await run(args, { cwd })
    t.equal(code, 2)
    t.match(stderr, /shown on a terminal only; add --out <file>/)
  }
  t.equal(asked.length, 0)
})

t.test('--out stores the code in a new file with mode 0600', async (t) => {
  const { cwd, asked } = await installation(t, { routes: registered })
  for (const json of [[], ['--json']]) {
    const file = `code${json.length}`
    const { code, stdout, stderr } = await run([...register, '--out', file, ...json], { cwd })
    t.equal(code, 0, stderr)
    t.equal(readFileSync(join(cwd, file), 'utf8'), `${secret}\n`)
    t.equal(statSync(join(cwd, file)).mode & 0o777, 0o600)
    t.match(stdout, file)
    t.notMatch(stdout + stderr, secret)
  }
  const before = asked.length
  const taken = await run([...register, '--out', 'code0'], { cwd })
  t.equal(taken.code, 1)
  t.match(taken.stderr, /code0 already exists; name another file/)
  const nowhere = await run([...register, '--out', 'no/such/dir'], { cwd })
  t.match(nowhere.stderr, /cannot write \S+no\/such\/dir \(ENOENT\)/)
  t.equal(asked.length, before, 'no code is created that could not be stored')
  const refusing = await installation(t, {
    routes: { 'POST /v1/identities': { status: 409, body: { detail: 'it exists' } } },
  })
  t.equal((await run([...register, '--out', 'code'], { cwd: refusing.cwd })).code, 1)
  t.notOk(existsSync(join(refusing.cwd, 'code')), 'the file is removed when auth refuses')
})

t.test('change sends only the given settings', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: { 'PATCH /v1/identities/shop%2Feu': { body: identity } },
  })
  const cases: [string[], object][] = [
    [['--scope', 'subscribe:a tokens:read'], { scopes: ['subscribe:a', 'tokens:read'] }],
    [['--ttl', '60'], { tokenTtlSeconds: 60 }],
    [['--default-ttl'], { tokenTtlSeconds: null }],
    [['--label', 'a', '--label', 'b'], { labels: ['a', 'b'] }],
    [['--no-labels', '--scope', ''], { labels: [], scopes: [] }],
  ]
  for (const [args, body] of cases) {
    const { code, stdout, stderr } = await run(['identity', 'change', 'shop/eu', ...args], { cwd })
    t.equal(code, 0, stderr)
    t.match(stdout, /identity +shop\/eu/)
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), body)
  }
  for (const args of [[], ['--ttl', '1', '--default-ttl'], ['--label', 'a', '--no-labels']]) {
    t.equal((await run(['identity', 'change', 'x', ...args], { cwd })).code, 2, args.join(' '))
  }
})

t.test('reports an unknown scope before asking auth', async (t) => {
  const { cwd, asked } = await installation(t, {})
  const outcome = await run(['identity', 'register', 'x', '--scope', 'fly:*'], { cwd })
  t.equal(outcome.code, 2)
  t.match(outcome.stderr, /--scope contains an unknown scope/)
  t.equal(asked.length, 0)
})

t.test('list follows the pages up to the limit', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: {
      'GET /v1/identities': ({ route }) => {
        const page = route.includes('cursor=c2') ? 'second' : 'first'
        return { body: { identities: [{ ...identity, identity: page }], cursor: 'c2' } }
      },
    },
  })
  const outcome = await run(['identity', 'list', '--limit', '2', '--json'], { cwd })
  const { identities, more } = JSON.parse(outcome.stdout)
  t.match(identities, [{ identity: 'first' }, { identity: 'second' }])
  t.equal(more, true)
  t.match(outcome.stderr, 'there are more')
  t.same(
    asked.slice(1).map(({ route }) => route),
    ['GET /v1/identities?limit=2', 'GET /v1/identities?limit=1&cursor=c2'],
  )
})

t.test('show lists state, scopes and codes', async (t) => {
  const { cwd } = await installation(t, {
    routes: { 'GET /v1/identities/shop%2Feu': { body: identity } },
  })
  const { stdout } = await run(['identity', 'show', 'shop/eu'], { cwd })
  t.match(stdout, /state +active\nscopes +subscribe:news:\* tokens:issue\ntoken lifetime +1h/)
  t.match(stdout, /codes +code1/)
})

t.test('suspend --wait waits for the nodes and shows the receipt', async (t) => {
  const path = '/v1/identities/shop/suspend'
  const late = receipt('one pending')
  const { cwd, asked } = await installation(t, {
    routes: {
      [`POST ${path}`]: { body: { identity, revocation: late } },
      [`GET /v1/revocations/${id}`]: inTurn({ body: late }, { body: receipt('one fenced') }),
    },
  })
  const args = ['identity', 'suspend', 'shop', '--yes', '--wait']
  const { code, stdout } = await run([...args, '60000'], { cwd })
  t.equal(code, 0)
  t.match(stdout, /^suspended shop\nrevoked 2 tokens, .* complete\n[\s\S]*one +fenced/)
  t.same(JSON.parse(asked[1]?.body ?? ''), {}, 'the command waits, not auth')
  const never = await installation(t, {
    routes: {
      [`POST ${path}`]: { body: { identity, revocation: late } },
      [`GET /v1/revocations/${id}`]: { body: late },
    },
  })
  const ended = await run([...args, '30', '--json'], { cwd: never.cwd })
  t.equal(ended.code, 1)
  t.same(JSON.parse(ended.stdout), { identity, revocation: late })
  t.match(ended.stderr, /not yet confirmed by one/)
})

t.test('suspend, resume and delete send their requests', async (t) => {
  const base = '/v1/identities/shop%2Feu'
  const { cwd, asked } = await installation(t, {
    routes: {
      [`POST ${base}/suspend`]: { body: { identity, revocation } },
      [`POST ${base}/resume`]: { body: identity },
      [`DELETE ${base}`]: { status: 204 },
    },
  })
  const cases: [string[], RegExp][] = [
    [
      ['suspend', 'shop/eu', '--reason', 'left', '--yes'],
      /suspended shop\/eu; revoked 2 of its tokens, receipt 0-abcdefghijklmnopqrstuv/,
    ],
    [['resume', 'shop/eu'], /resumed shop\/eu/],
    [['delete', 'shop/eu', '--yes'], /deleted shop\/eu/],
  ]
  for (const [args, shown] of cases) {
    const { code, stdout, stderr } = await run(['identity', ...args], { cwd })
    t.equal(code, 0, stderr)
    t.match(stdout, shown)
  }
  const bodies = asked.filter(({ route }) => !route.endsWith('/oauth/token'))
  t.same(JSON.parse(bodies[0]?.body ?? ''), { reason: 'left' })
})

t.test('suspend and delete show what they revoke, and ask', async (t) => {
  const base = '/v1/identities/shop%2Feu'
  const { cwd, asked } = await installation(t, {
    routes: {
      [`GET ${base}`]: { body: identity },
      [`POST ${base}/suspend`]: { body: { identity, revocation } },
      [`DELETE ${base}`]: { status: 204 },
      'POST /v1/revocations': { status: 403, body: { detail: 'needs tokens:revoke' } },
      'GET /v1/tokens': { body: { tokens: [] } },
    },
  })
  for (const verb of ['suspend', 'delete']) {
    const args = ['identity', verb, 'shop/eu']
    const unasked = await run(args, { cwd })
    t.equal(unasked.code, 2)
    t.match(unasked.stderr, /shop\/eu .*; add --yes/)
    const no = await run(args, { cwd, typed: '\n', env: { NO_COLOR: '1' } })
    t.equal(no.code, 1)
    t.match(no.stderr, /scopes +subscribe:news[\s\S]*would revoke an unknown number of tokens/)
    t.match(no.stderr, /(Suspend|Delete) shop\/eu and revoke its tokens\? \[y\/N\]/)
    const done = () => asked.filter(({ route }) => /suspend|DELETE/.test(route)).length
    const before = done()
    t.equal((await run(args, { cwd, typed: 'y\n' })).code, 0)
    t.equal(done(), before + 1)
  }
})

const codesOf = '/v1/identities/shop%2Feu'
const added = { id: 'code2', createdAt: 1, expiresAt: 1_700_000_000_000, registrationCode: secret }
const codeRoutes = {
  [`POST ${codesOf}/registration-codes`]: { status: 201, body: added },
  [`DELETE ${codesOf}/registration-codes/code2`]: { status: 204 },
  [`GET ${codesOf}`]: {
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

t.test('code add, list and remove', async (t) => {
  const { cwd, asked } = await installation(t, { routes: codeRoutes })
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

t.test('code rotate replaces the code in the file and lets the others expire', async (t) => {
  const { cwd, asked } = await installation(t, { routes: codeRoutes })
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

t.test('refuses a code given instead of its id', async (t) => {
  const { cwd, asked } = await installation(t, { routes: codeRoutes })
  const taken = 'a'.repeat(43)
  const { code, stderr } = await run(['code', 'remove', 'shop/eu', taken], { cwd })
  t.equal(code, 2)
  t.notMatch(stderr, taken)
  t.equal(asked.length, 0)
})
