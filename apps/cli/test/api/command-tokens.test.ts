import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import type { Command } from 'commander'
import t from 'tap'
import { program } from '../../src/program.js'
import { type Asked, accessToken, installation } from '../fixtures/installation.js'
import { run, shellOf } from '../fixtures/run.js'
import { bin } from '../fixtures/run-bin.js'

const id = '0-abcdefghijklmnopqrstuv'
const receiver = ['--aud', 'https://a.example', '--poll', '--as', 'shop']
const everyChannel = 'subscribe:* publish:* presence:* history:*'

/** `doctor` requests a token only from a running auth. */
const services = {
  'GET /health': { body: { status: 'ok' } },
  'GET /ready': { body: { status: 'ready' } },
}

/** Command lines with the scope and the lifetime of the token that each requests. */
const cases: [args: string, scope: string | null, seconds?: string | null][] = [
  ['identity register shop --scope introspect --json', null],
  ['identity list', 'identities:read'],
  ['identity show shop', 'identities:read'],
  ['identity change shop --ttl 60', null],
  ['identity suspend shop --yes', null],
  ['identity resume shop', null],
  ['identity delete shop --yes', null],
  ['code add shop --json', null],
  ['code list shop', 'identities:read'],
  ['code rotate shop --json', null],
  ['code remove shop abc', null],
  ['token issue --subject ada', null, null],
  ['token issue --subject ada --scope publish:a --ttl 300', 'tokens:issue publish:a', '360'],
  ['token issue --subject ada --channel a', 'tokens:issue subscribe:a', null],
  ['token list', 'tokens:read'],
  ['token count', 'tokens:read'],
  ['token count --by-identity', 'tokens:read'],
  [`token show ${id}`, 'tokens:read'],
  ['token introspect', 'introspect'],
  ['connections', 'tokens:read'],
  [`revoke --jti ${id}`, 'tokens:revoke'],
  ['revoke --identity shop --yes', 'tokens:revoke'],
  ['revoke --identity shop --dry-run', 'tokens:revoke tokens:read'],
  ['revoke --identity shop --dry-run --json', 'tokens:revoke'],
  ['revocation list', 'tokens:read'],
  [`revocation show ${id}`, 'tokens:read'],
  ['nodes', 'nodes:read'],
  ['nodes --watch', 'nodes:read', null],
  ['connect a b', 'subscribe:a subscribe:b', null],
  ['connect 山', null, null],
  ['connect a --subject ada --scope subscribe:a', 'tokens:issue subscribe:a', null],
  ['doctor', null],
  ['publish a 1', 'publish:a'],
  ['key list', 'keys:write'],
  ['key rotate', 'keys:write'],
  ['key revoke k --yes', 'keys:write tokens:read'],
  [`receiver add ${receiver.join(' ')}`, 'admin'],
  ['receiver list', 'admin'],
  [`receiver show ${id}`, 'admin'],
  [`receiver change ${id} --no-description`, 'admin'],
  [`receiver pause ${id}`, 'admin'],
  [`receiver resume ${id}`, 'admin'],
  [`receiver verify ${id}`, 'admin'],
  [`receiver delete ${id} --yes`, 'admin'],
  ['audit', 'audit:read'],
  ['audit --follow', 'audit:read', null],
  ['audit --export', 'audit:read', null],
]

t.test('each command requests only the scopes that it needs, for a minute', async (t) => {
  for (const [line, scope, seconds = '60'] of cases) {
    const { cwd, asked, revoked } = await installation(t, { routes: services, refuse: () => 403 })
    await run(line.split(' '), { cwd, stdin: 'a.b.c' })
    const requested = tokenRequests(asked)[0]
    t.equal(requested?.get('scope'), scope, line)
    t.equal(requested?.get('expires_in'), seconds, line)
    const outlives = line.startsWith('token issue')
    t.same([...new Set(revoked)], outlives ? [] : [accessToken], `${line}: revoked at its end`)
  }
})

t.test('the cases have every command that needs a token', async (t) => {
  const names = leaves(program(shellOf({ cwd: '/' }))).filter(
    (name) => !/^(profile|completion|complete)\b/.test(name),
  )
  const tried = cases.map(([line]) => line)
  const missing = names.filter((name) => !tried.some((line) => `${line} `.startsWith(`${name} `)))
  t.same(missing, [])
})

function leaves(command: Command, name = ''): string[] {
  return command.commands.flatMap((one) => {
    const whole = `${name} ${one.name()}`.trim()
    return one.commands.length === 0 ? [whole] : leaves(one, whole)
  })
}

function tokenRequests(asked: readonly Asked[]): URLSearchParams[] {
  return asked
    .filter(({ route }) => route === 'POST /oauth/token')
    .map(({ body }) => new URLSearchParams(body))
}

t.test('an interactive client requests what may be done in channels', async (t) => {
  const { cwd, asked } = await installation(t, { refuse: () => 403 })
  const terminal = { columns: 80, rows: 24 }
  await run(['connect'], { cwd, typed: '', terminal })
  t.equal(tokenRequests(asked)[0]?.get('scope'), everyChannel)
})

t.test('uses all scopes of an identity that lacks one of several', async (t) => {
  const { cwd, asked, revoked } = await installation(t, {
    routes: {
      'POST /oauth/token': ({ body }) =>
        body.includes('scope=')
          ? { status: 400, body: { error: 'invalid_scope', error_description: 'no tokens:read' } }
          : { body: { access_token: accessToken, expires_in: 60 } },
      'GET /v1/revocations': { body: { revocations: [] } },
    },
  })
  const { code, stderr } = await run(['revocation', 'list'], { cwd })
  t.equal(code, 0, stderr)
  t.same(
    tokenRequests(asked).map((form) => form.get('scope')),
    ['tokens:read', null],
  )
  t.same(revoked, [accessToken])
  const nodes = await run(['nodes'], { cwd })
  t.equal(nodes.code, 3, 'a command that needs one scope reports that the identity lacks it')
  t.match(nodes.stderr, /auth issued no token: no tokens:read/)
})

t.test('a token that cannot be revoked fails no command', async (t) => {
  const { cwd } = await installation(t, {
    routes: {
      'POST /oauth/revoke': { status: 503, body: {} },
      'GET /v1/nodes': { body: { nodes: [] } },
    },
  })
  const { code, stdout, stderr } = await run(['nodes'], { cwd })
  t.equal(code, 0)
  t.equal(stdout, 'no realtime nodes\n')
  t.match(stderr, /stays valid until it expires: not revoked \(HTTP 503\)\n/)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`revokes the token when ${signal} stops a request`, async (t) => {
    const events = new EventEmitter()
    const requested = once(events, 'request')
    const { cwd, revoked } = await installation(t, {
      routes: {
        'GET /v1/nodes': () => {
          events.emit('request')
          return { never: true }
        },
      },
    })
    const child = spawn(process.execPath, [bin, 'nodes'], { cwd, env: { HOME: cwd } })
    await requested
    child.kill(signal)
    await once(child, 'close')
    t.equal(child.signalCode, signal, 'the parent process sees the signal')
    t.same(revoked, [accessToken])
  })
}

t.test('revokes the token of a long command when its reader has gone', async (t) => {
  const { cwd, revoked } = await installation(t, {
    routes: { 'GET /v1/audit/export': { body: '{"id":"1.0"}\n'.repeat(100_000) } },
  })
  const child = spawn(process.execPath, [bin, 'audit', '--export'], { cwd, env: { HOME: cwd } })
  child.stdout.once('data', () => child.stdout.destroy())
  await once(child, 'close')
  t.equal(child.exitCode, 0)
  t.same(revoked, [accessToken])
})
