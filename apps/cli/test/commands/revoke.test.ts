import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Asked, installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const receipt = {
  id: '0-abcdefghijklmnopqrstuv',
  at: 1_700_000_000_000,
  tokens: 2,
  complete: true,
  selector: { identity: 'admin', subject: 'ada' },
  nodes: [
    { node: 'realtime-8000', state: 'acked', connectionsClosed: 1, ms: 2.5 },
    { node: 'realtime-8001', state: 'acked', connectionsClosed: 0, ms: 3 },
  ],
  auths: [{ auth: 'web-1.4711', state: 'acked', ms: 1.5 }],
}
const done = { 'POST /v1/revocations': { status: 201, body: receipt } }

t.test('shows the receipt with a table of the nodes', async (t) => {
  const { cwd } = await installation(t, { routes: done })
  const { code, stdout, stderr } = await run(['revoke', '--subject', 'ada'], { cwd })
  t.equal(code, 0, stderr)
  t.match(stdout, /^revoked 2 tokens, closed 1 connection complete\n/)
  t.match(stdout, /covers +identity admin, subject ada/)
  t.match(stdout, /realtime-8000 +acked +1 +2\.5\nrealtime-8001 +acked +0 +3\.0\n/)
  const json = await run(['revoke', '--subject', 'ada', '--json'], { cwd })
  t.same(JSON.parse(json.stdout), receipt)
})

t.test('names an auth instance that has not confirmed', async (t) => {
  const auths = [
    { auth: 'web-1.4711', state: 'pending' },
    { auth: 'web-2.4711', state: 'acked', ms: 1 },
  ]
  const body = { ...receipt, complete: false, auths }
  const routes = {
    'POST /v1/revocations': { status: 201, body },
    'GET /v1/revocations/:id': { body },
  }
  const { cwd } = await installation(t, { routes })
  const command = ['revoke', '--subject', 'ada', '--wait', '1']
  const { code, stdout, stderr } = await run(command, { cwd })
  t.equal(code, 1)
  t.match(stdout, /auth web-1\.4711 +pending +0/)
  t.notMatch(stdout, /web-2/, 'an instance that has confirmed is not listed')
  t.match(stderr, /not yet confirmed by auth web-1\.4711\n$/)
})

t.test('sends each selector as the contract defines it', async (t) => {
  const { cwd, asked } = await installation(t, { routes: done })
  writeFileSync(join(cwd, 'token'), 'a.b.c\n')
  const cases: [string[], object][] = [
    [['--token-file', 'token'], { token: 'a.b.c' }],
    [['--jti', receipt.id], { token: receipt.id }],
    [['--jti', receipt.id, '--cascade'], { token: receipt.id, cascade: true }],
    [['--token-file', 'token', '--cascade'], { token: 'a.b.c', cascade: true }],
    [['--identity', 'shop'], { identity: 'shop' }],
    [['--subject', 'ada'], { identity: 'admin', subject: 'ada' }],
    [['--subject', 'ada', '--identity', 'shop'], { identity: 'shop', subject: 'ada' }],
    [['--label', 'l'], { identity: 'admin', label: 'l' }],
    [['--all'], { all: true }],
  ]
  for (const [args, selector] of cases) {
    const outcome = await run(['revoke', '--yes', ...args], { cwd })
    t.equal(outcome.code, 0, outcome.stderr)
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), selector)
  }
  const time = '2026-01-31T12:00:00Z'
  const more = ['--issued-before', time, '--reason', 'left', '--wait', '100', '--replicas', '2']
  await run(['revoke', '--all', '--yes', ...more], { cwd })
  t.same(JSON.parse(asked.at(-1)?.body ?? ''), {
    all: true,
    issuedBefore: Date.parse(time),
    reason: 'left',
    replicas: 2,
  })
})

t.test('rejects missing, double and invalid selectors without asking auth', async (t) => {
  const { cwd, asked } = await installation(t, { routes: done })
  for (const args of [
    [],
    ['--all', '--subject', 'ada'],
    ['--all', '--identity', 'shop'],
    ['--subject', 'ada', '--label', 'l'],
    ['--jti', 'x', '--identity', 'shop'],
    ['--cascade'],
    ['--subject', 'ada', '--cascade'],
    ['--all', '--cascade'],
    ['--all', '--issued-before', 'yesterday'],
    ['--all', '--issued-before', '1769860800'],
    ['--all', '--issued-before', '1769860800000000'],
    ['--all', '--wait', '-1'],
    ['--all', '--wait', '1.5'],
    ['--all', '--replicas', 'x'],
    ['stray', '--all'],
  ]) {
    const { code, stdout } = await run(['revoke', ...args], { cwd })
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
  }
  t.equal(asked.length, 0)
})

const token = (jti: string, subject: string) => ({
  jti,
  identity: 'shop',
  subject,
  scope: 'subscribe:demo:*',
  labels: [],
  parents: [],
  state: 'active',
  issuedAt: Date.now() - 60_000,
  expiresAt: Date.now() + 3_600_000,
  issuedFrom: '127.0.0.1',
})
/** An auth that counts 12 tokens in a dry run and lists their identities. */
const covering = () => ({
  'POST /v1/revocations': ({ body }: Asked) =>
    JSON.parse(body).dryRun
      ? { body: { dryRun: true, tokens: 12 } }
      : { status: 201, body: receipt },
  'GET /v1/tokens': { body: { tokens: [token(receipt.id, 'ada')], cursor: 'more' } },
  'GET /v1/tokens/count/by-identity': {
    body: {
      identities: [
        { identity: 'few', active: 2, revoked: 0, exact: true },
        { identity: 'most', active: 10, revoked: 0, exact: true },
      ],
    },
  },
})
const revoked = (asked: readonly Asked[]) =>
  asked.filter(({ route, body }) => route === 'POST /v1/revocations' && !body.includes('dryRun'))

t.test('--dry-run shows what would be revoked and revokes nothing', async (t) => {
  const { cwd, asked, url } = await installation(t, { routes: covering() })
  const all = await run(['revoke', '--all', '--dry-run'], { cwd })
  t.equal(all.code, 0, all.stderr)
  t.equal(
    all.stdout,
    `would revoke 12 tokens\nat      ${url}, as admin\ncovers  every token\n\n` +
      'IDENTITY  ACTIVE\nmost          10\nfew            2\n',
  )
  const label = ['revoke', '--label', 'l', '--identity', 'shop', '--dry-run']
  const some = await run([...label, '--issued-before', '2026-01-31T12:00:00Z'], { cwd })
  t.match(some.stdout, /covers +identity shop, label l\nissued before +2026-01-31T12:00:00/)
  t.match(some.stdout, new RegExp(`${receipt.id} +ada .*\nand 11 more\n$`))
  const query = 'identity=shop&label=l&state=active&issuedBefore=1769860800000&limit=10'
  t.ok(asked.some(({ route }) => route === `GET /v1/tokens?${query}`))
  writeFileSync(join(cwd, 'token'), 'a.b.c\n')
  const one = await run(['revoke', '--token-file', 'token', '--dry-run'], { cwd })
  t.match(one.stdout, /covers +the given token\n$/)
  t.notMatch(one.stdout, 'a.b.c')
  const two = await run(['revoke', '--token-file', 'token', '--cascade', '--dry-run'], { cwd })
  t.match(two.stdout, /covers +the given token, tokens issued with it\n$/)
  const json = await run(['revoke', '--all', '--dry-run', '--json'], { cwd })
  t.same(JSON.parse(json.stdout), { dryRun: true, tokens: 12 })
  t.equal(revoked(asked).length, 0)
})

t.test('asks for confirmation of a wide revocation on a terminal', async (t) => {
  const wide = [
    ['--identity', 'shop'],
    ['--label', 'l'],
    ['--jti', receipt.id, '--cascade'],
    ['--all'],
  ]
  for (const args of wide) {
    const { cwd, asked } = await installation(t, { routes: covering() })
    for (const typed of ['n\n', '\n', '\u0003', '\u0004', 'yesterday\n']) {
      const no = await run(['revoke', ...args], { cwd, typed, env: { NO_COLOR: '1' } })
      t.equal(no.code, 1, `${args} ${JSON.stringify(typed)}`)
      t.match(no.stderr, /would revoke 12 tokens[\s\S]*Revoke\? \[y\/N\][\s\S]*nothing was done\n$/)
      t.equal(no.stdout, '')
    }
    t.equal(revoked(asked).length, 0)
    const yes = await run(['revoke', ...args], { cwd, typed: 'y\n' })
    t.equal(yes.code, 0, yes.stderr)
    t.match(yes.stdout, /^revoked 2 tokens/)
    t.equal(revoked(asked).length, 1)
  }
})

t.test('a wide revocation without a terminal needs --yes', async (t) => {
  const { cwd, asked } = await installation(t, { routes: covering() })
  const cases = [
    [['--all'], 'every token'],
    [['--identity', 'shop'], 'identity shop'],
    [['--label', 'l'], 'identity admin, label l'],
  ] as const
  for (const [args, what] of cases) {
    const { code, stderr } = await run(['revoke', ...args], { cwd })
    t.equal(code, 2)
    const why = `this revokes ${what}, and there is no terminal to confirm it on; add --yes`
    t.equal(stderr, `portcullis: ${why}\n`)
  }
  t.equal(asked.length, 0)
  for (const narrow of [
    ['--subject', 'ada'],
    ['--jti', receipt.id],
  ]) {
    t.equal((await run(['revoke', ...narrow], { cwd })).code, 0, 'one user, one token')
  }
})

t.test('the preview says what the caller may not read; the revocation proceeds', async (t) => {
  const refused = { status: 403, body: { detail: 'needs tokens:read' } }
  const { cwd } = await installation(t, {
    routes: { ...covering(), 'GET /v1/tokens/count/by-identity': refused },
  })
  const { code, stderr } = await run(['revoke', '--all'], {
    cwd,
    typed: 'yes\n',
    env: { NO_COLOR: '1' },
  })
  t.equal(code, 0)
  t.match(
    stderr,
    /would revoke 12 tokens[\s\S]*the tokens cannot be listed: auth: needs tokens:read\n/,
  )
})

t.test('reports fewer Redis replicas than requested, with exit code 1', async (t) => {
  const body = { ...receipt, replicas: 1, replicasAsked: 2 }
  const { cwd } = await installation(t, {
    routes: { 'POST /v1/revocations': { status: 201, body } },
  })
  const { code, stdout, stderr } = await run(['revoke', '--all', '--yes', '--wait', '0'], { cwd })
  t.equal(code, 1)
  t.match(stdout, /replicas +1 of 2 have it/)
  t.equal(stderr, 'portcullis: revoked, but only 1 of 2 Redis replicas have it\n')
})
