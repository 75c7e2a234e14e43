import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { installation, registrationCode } from './fixtures/installation.js'
import { run } from './fixtures/run.js'

t.test('help documents the exit codes and the environment variables', async (t) => {
  const { code, stdout } = await run(['--help'], { cwd: t.testdir() })
  t.equal(code, 0)
  t.match(stdout, /Exit codes: 0 done; 1 failed; 2 .*; 3 refused, or closed by the server/)
  t.match(stdout, 'PORTCULLIS_REGISTRATION_CODE_FILE')
})

t.test('an unknown command or option has exit code 2', async (t) => {
  const cwd = t.testdir()
  for (const args of [[], ['fly'], ['nodes', '--fast'], ['nodes', 'stray'], ['token', 'isue']]) {
    const { code, stdout, stderr } = await run(args, { cwd })
    t.equal(code, 2, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, /--help/)
  }
})

t.test('says how to configure an identity', async (t) => {
  const { code, stderr } = await run(['nodes'], { cwd: t.testdir() })
  t.equal(code, 1)
  t.match(stderr, /no identity is configured; .*PORTCULLIS_IDENTITY/)
})

t.test('reports an auth that is not running: its URL and what to do', async (t) => {
  const { cwd } = await installation(t, {})
  const url = await closedUrl()
  const args = ['nodes', '--auth', url]
  const env = { PORTCULLIS_IDENTITY: 'a', PORTCULLIS_REGISTRATION_CODE: 'b' }
  const { code, stderr } = await run(args, { cwd, env })
  t.equal(code, 1)
  const hint = 'start it (npm start), or give another URL with --auth'
  t.equal(stderr, `portcullis: cannot reach auth at ${url} (connection refused); ${hint}\n`)
})

t.test('a wrong registration code has exit code 3 and is not shown', async (t) => {
  const { cwd } = await installation(t, {
    routes: {
      'POST /oauth/token': {
        status: 401,
        body: { error: 'invalid_client', error_description: 'unknown identity or wrong code' },
      },
    },
  })
  for (const args of [['nodes'], ['connect', 'x'], ['publish', 'x', '1']]) {
    const { code, stderr } = await run(args, { cwd })
    t.equal(code, 3)
    const why = 'unknown identity or wrong code (HTTP 401)'
    t.equal(stderr, `portcullis: auth issued no token: ${why}\n`)
    t.notMatch(stderr, registrationCode)
  }
})

t.test('shows the error text of auth with control characters escaped', async (t) => {
  for (const [status, code] of [
    [403, 3],
    [404, 1],
    [409, 1],
    [500, 1],
  ]) {
    const detail = 'no such\nidentity \u001b[31m'
    const { cwd } = await installation(t, {
      routes: { 'GET /v1/nodes': { status: status ?? 0, body: { title: 'T', detail } } },
    })
    const outcome = await run(['nodes'], { cwd })
    t.equal(outcome.code, code)
    t.equal(outcome.stderr, 'portcullis: auth: no such\\u000aidentity \\u001b[31m\n')
  }
})

t.test('rejects a response that is not from auth', async (t) => {
  for (const body of [{ nodes: 'none' }, '<html>', 'null']) {
    const { cwd, url } = await installation(t, { routes: { 'GET /v1/nodes': { body } } })
    const { code, stderr } = await run(['nodes'], { cwd })
    t.equal(code, 1)
    t.equal(stderr, `portcullis: the response of ${url} is not from auth; check the URL (--auth)\n`)
  }
})

t.test('colours follow NO_COLOR and FORCE_COLOR', async (t) => {
  const routes = { 'GET /v1/nodes': { body: { nodes: [] } } }
  const { cwd } = await installation(t, { routes })
  const forced = await run(['nodes'], { cwd, env: { FORCE_COLOR: '1' } })
  t.match(forced.stdout, '\u001b[')
  const both = await run(['nodes'], { cwd, env: { FORCE_COLOR: '1', NO_COLOR: '1' } })
  t.notMatch(both.stdout, '\u001b[')
})

const jwt = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ'

t.test('refuses a secret as an argument, and neither sends nor shows it', async (t) => {
  const { cwd, asked } = await installation(t, {})
  for (const args of [
    ['token', 'show', jwt],
    ['revoke', '--jti', jwt],
    ['publish', 'demo:x', `{"token":"${jwt}"}`],
    ['revoke', `--token=${jwt}`],
    ['nodes', '--registration-code', 'hunter2-hunter2'],
    ['nodes', '--code=hunter2-hunter2'],
  ]) {
    const { code, stdout, stderr } = await run(args, { cwd })
    t.equal(code, 2, args.slice(0, 2).join(' '))
    t.match(stderr, /an argument must not be .* history/)
    t.notMatch(stdout + stderr, /eyJ|hunter2/)
  }
  t.equal(asked.length, 0)
  const text = await run(['publish', 'demo:x', '--', '--token'], { cwd })
  t.equal(text.code, 1, 'an argument after -- is not an option')
})

/** Returns the URL of a server that has closed. */
async function closedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}`
}
