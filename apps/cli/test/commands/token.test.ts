import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const jti = '0-abcdefghijklmnopqrstuv'
const bearer = 'header.claims.signature'
const answer = {
  access_token: bearer,
  token_type: 'Bearer',
  expires_in: 3600,
  scope: 'subscribe:demo:*',
  jti,
}
const issued = { 'POST /v1/tokens': { status: 201, body: answer } }

t.test('in a pipe, issue writes the bare token to stdout and the rest to stderr', async (t) => {
  const { cwd, asked } = await installation(t, { routes: issued })
  const args = ['token', 'issue', '--subject', 'ada', '--scope', 'subscribe:demo:*']
  const { code, stdout, stderr } = await run([...args, '--ttl', '60', '--label', 'a'], { cwd })
  t.equal(code, 0, stderr)
  t.equal(stdout, `${bearer}\n`)
  t.match(stderr, jti)
  t.match(stderr, 'ada')
  t.notMatch(stderr, bearer)
  t.same(JSON.parse(asked[1]?.body ?? ''), {
    subject: 'ada',
    scope: 'subscribe:demo:*',
    ttlSeconds: 60,
    labels: ['a'],
  })
})

t.test('remarks that the token expires sooner than requested', async (t) => {
  const { cwd } = await installation(t, { routes: issued })
  const issue = (ttl: string) => run(['token', 'issue', '--subject', 'ada', '--ttl', ttl], { cwd })
  t.match((await issue('3601')).stderr, /expires sooner than requested/)
  t.notMatch((await issue('3600')).stderr, /sooner/)
})

t.test('--channel requests a token for that channel', async (t) => {
  const { cwd, asked } = await installation(t, { routes: issued })
  const args = ['token', 'issue', '--subject', 'ada', '--channel', 'room:7']
  t.equal((await run(args, { cwd })).code, 0)
  t.same(JSON.parse(asked[1]?.body ?? ''), { subject: 'ada', channel: 'room:7' })
})

t.test('--out writes the token with mode 0600 and shows the rest', async (t) => {
  const { cwd } = await installation(t, { routes: issued })
  const file = join(cwd, 'ada.token')
  writeFileSync(file, 'an older and longer token, that anyone could read', { mode: 0o644 })
  for (const json of [[], ['--json']]) {
    const args = ['token', 'issue', '--subject', 'ada', '--out', 'ada.token', ...json]
    const { code, stdout, stderr } = await run(args, { cwd })
    t.equal(code, 0, stderr)
    t.equal(readFileSync(file, 'utf8'), `${bearer}\n`)
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.match(stdout, jti)
    t.notMatch(stdout + stderr, bearer)
  }
})

t.test('reports a file that cannot be written', async (t) => {
  const { cwd } = await installation(t, { routes: issued })
  const args = ['token', 'issue', '--subject', 'ada', '--out', 'no/such/dir']
  const { code, stderr } = await run(args, { cwd })
  t.equal(code, 1)
  t.equal(stderr, 'portcullis: cannot write no/such/dir (ENOENT)\n')
})

t.test('list shows your own tokens, or those of another identity', async (t) => {
  const token = {
    jti,
    identity: 'admin',
    subject: 'ada',
    scope: 'subscribe:demo:*',
    labels: ['device:phone'],
    parents: ['0-parentparentparentpare'],
    state: 'revoked',
    issuedAt: Date.now() - 217_800_000,
    expiresAt: Date.now() + 217_800_000,
    issuedFrom: '127.0.0.1',
  }
  const { cwd, asked } = await installation(t, {
    routes: {
      'GET /v1/tokens': { body: { tokens: [token] } },
      [`GET /v1/tokens/${jti}`]: { body: token },
    },
  })
  const listed = await run(['token', 'list'], { cwd })
  t.match(listed.stdout, new RegExp(`${jti} +ada +revoked +2d 12h ago +in 2d 12h +device:phone`))
  t.equal(asked[1]?.route, 'GET /v1/tokens?identity=admin&limit=100')
  await run(['token', 'list', '--identity', 'b', '--subject', 'é&x', '--label', 'l'], { cwd })
  t.equal(asked[3]?.route, 'GET /v1/tokens?identity=b&subject=%C3%A9%26x&label=l&limit=100')
  const [one, two, three] = ['1769860800001', '1769860800002', '1769860800003']
  const times = ['--issued-after', one, '--issued-before', two, '--expires-before', three]
  const all = await run(['token', 'list', '--any', '--state', 'revoked', ...times], { cwd })
  const filters = `state=revoked&issuedAfter=${one}&issuedBefore=${two}&expiresBefore=${three}`
  t.equal(asked.at(-1)?.route, `GET /v1/tokens?${filters}&limit=100`)
  t.match(all.stdout, new RegExp(`${jti} +admin +ada`), 'with the identity')
  const shown = await run(['token', 'show', jti], { cwd })
  t.match(shown.stdout, /subject +ada\nstate +revoked/)
  t.match(shown.stdout, /parents +0-parentparentparentpare\n/)
  await run(['token', 'list', '--parent', jti], { cwd })
  t.equal(
    asked.at(-1)?.route,
    `GET /v1/tokens?parent=${jti}&limit=100`,
    'auth knows the identity of the parent',
  )
  await run(['token', 'list', '--parent', jti, '--identity', 'b'], { cwd })
  t.equal(asked.at(-1)?.route, `GET /v1/tokens?identity=b&parent=${jti}&limit=100`)
})

t.test('count shows numbers, also by identity', async (t) => {
  const few = { active: 2, revoked: 1, exact: true }
  const many = { active: 100, revoked: 7, exact: false }
  const { cwd, asked } = await installation(t, {
    routes: {
      'GET /v1/tokens/count': ({ route }) => ({ body: route.includes('label') ? many : few }),
      'GET /v1/tokens/count/by-identity': {
        body: {
          identities: [
            { identity: 'a', ...few },
            { identity: 'b', ...many },
          ],
        },
      },
    },
  })
  t.equal((await run(['token', 'count'], { cwd })).stdout, '2 active, 1 revoked\n')
  t.equal(asked.at(-1)?.route, 'GET /v1/tokens/count?identity=admin')
  const least = await run(['token', 'count', '--any', '--label', 'l'], { cwd })
  t.equal(least.stdout, 'at least 100 active, at least 7 revoked\n')
  const each = await run(['token', 'count', '--by-identity'], { cwd })
  t.match(each.stdout, /a +2 +1\nb +100\+ +7\+\n/)
  t.equal(asked.at(-1)?.route, 'GET /v1/tokens/count/by-identity?limit=100')
  const both = await run(['token', 'count', '--by-identity', '--identity', 'a'], { cwd })
  t.equal(both.code, 2)
})

t.test('introspect reads the token from stdin or a file, never from an argument', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: { 'POST /oauth/introspect': { body: { active: false } } },
  })
  writeFileSync(join(cwd, 'ada.token'), `${bearer}\n`)
  const piped = await run(['token', 'introspect'], { cwd, stdin: `${bearer}\n` })
  t.equal(piped.code, 0, piped.stderr)
  t.equal(piped.stdout, 'inactive\n')
  const file = await run(['token', 'introspect', '--token-file', 'ada.token', '--json'], { cwd })
  t.same(JSON.parse(file.stdout), { active: false })
  t.equal(asked[1]?.body, `token=${bearer}`)
  t.equal(asked[3]?.body, `token=${bearer}`)
  const argument = await run(['token', 'introspect', bearer], { cwd })
  t.equal(argument.code, 2)
})

t.test('text that is not a token is neither sent nor shown', async (t) => {
  const { cwd, asked } = await installation(t, {})
  const stdin = 'not a token: hunter2'
  const { code, stderr } = await run(['token', 'introspect'], { cwd, stdin })
  t.equal(code, 1)
  t.equal(stderr, 'portcullis: standard input must hold a token and nothing else\n')
  t.equal(asked.length, 0)
})

const page = {
  tokens: [
    {
      jti,
      identity: 'shop',
      subject: 'ada',
      labels: [],
      connections: 3,
      since: Date.now() - 217_800_000,
      nodes: [
        { node: 'one', connections: 1 },
        { node: 'two', connections: 2 },
      ],
    },
    { jti: jti.replace('0', '1'), connections: 1, since: Date.now(), nodes: [] },
  ],
  connections: 4,
  complete: true,
  nodes: [
    { node: 'one', state: 'answered', connections: 2 },
    { node: 'two', state: 'answered', connections: 2 },
  ],
}

t.test('connections lists tokens with their connections', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: { 'GET /v1/connections': { body: page } },
  })
  const { code, stdout, stderr } = await run(['connections'], { cwd })
  t.equal(code, 0, stderr)
  t.match(stdout, /^4 connections on 2 nodes\n/)
  t.match(stdout, new RegExp(`${jti} +shop +ada +3 +2d 12h ago +one two\n`))
  t.match(stdout, /1-\S+ +\(gone\) +1 /, 'a token that the registry does not know')
  const cases: [string[], string][] = [
    [[], 'wait=1000&limit=100'],
    [['--identity', 'shop', '--wait', '9'], 'identity=shop&wait=9&limit=100'],
    [['--subject', 'ada'], 'identity=admin&subject=ada&wait=1000&limit=100'],
    [['--label', 'l', '--identity', 'b'], 'identity=b&label=l&wait=1000&limit=100'],
    [['--jti', jti], `token=${jti}&wait=1000&limit=100`],
    [['--jti', jti, '--cascade'], `token=${jti}&cascade=true&wait=1000&limit=100`],
  ]
  for (const [args, query] of cases) {
    const json = await run(['connections', '--json', ...args], { cwd })
    t.same(JSON.parse(json.stdout), { ...page, more: false })
    t.equal(asked.at(-1)?.route, `GET /v1/connections?${query}`)
  }
  for (const args of [
    ['--subject', 'a', '--label', 'l'],
    ['--jti', jti, '--identity', 'b'],
    ['--cascade'],
    ['--identity', 'b', '--cascade'],
  ]) {
    t.equal((await run(['connections', ...args], { cwd })).code, 2)
  }
})

t.test('connections names a node that has not answered, with exit code 1', async (t) => {
  const nodes = [page.nodes[0], { node: 'two', state: 'silent' }, { node: 'old', state: 'unable' }]
  const body = { ...page, complete: false, nodes }
  const { cwd } = await installation(t, { routes: { 'GET /v1/connections': { body } } })
  const { code, stdout, stderr } = await run(['connections'], { cwd })
  t.equal(code, 1)
  t.match(stdout, /^4 connections on 1 node\n/, 'known connections are shown')
  t.equal(stderr, 'portcullis: some nodes have not answered: two (silent), old (unable)\n')
})
