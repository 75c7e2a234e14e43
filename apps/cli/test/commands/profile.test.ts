import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { installation, registrationCode } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const code = 'a-code-that-stays-secret'
const nodes = { 'GET /v1/nodes': { body: { nodes: [] } } }
const mode = (file: string) => statSync(file).mode & 0o777

/** A directory without local.json, a directory for profiles, and an auth. */
async function scene(t: Test) {
  const { url, cwd, asked } = await installation(t, { routes: nodes })
  const home = join(cwd, 'clone')
  mkdirSync(home)
  renameSync(join(cwd, '.portcullis'), join(home, '.portcullis'))
  const options = { cwd, configDir: join(cwd, 'config') }
  const file = join(options.configDir, 'config.json')
  const add = (name: string, ...more: string[]) =>
    ['profile', 'add', name, '--auth', url, '--identity', 'ops', ...more] as const
  /** Identity and code of the last token request. */
  const basic = () => {
    const asks = asked.filter(({ route }) => route === 'POST /oauth/token').at(-1)
    return Buffer.from(
      asks?.headers.authorization?.slice('Basic '.length) ?? '',
      'base64',
    ).toString()
  }
  return { url, home, options, file, add, basic }
}

t.test('add, use, list, show, remove', async (t) => {
  const { url, options, file, add, basic } = await scene(t)
  const added = await run(add('prod', '--realtime', 'wss://rt.example', '--keep-code'), {
    ...options,
    stdin: `${code}\n`,
  })
  t.equal(added.code, 0, added.stderr)
  const kept = join(options.configDir, 'prod.code')
  t.equal(readFileSync(kept, 'utf8'), `${code}\n`)
  t.equal(mode(kept), 0o600)
  t.equal(mode(file), 0o600)
  t.notMatch(readFileSync(file, 'utf8') + added.stdout + added.stderr, code)

  t.match(
    (await run(['nodes'], options)).stderr,
    /no identity is configured/,
    'a stored profile is not used by default',
  )
  t.equal((await run(['nodes', '--profile', 'prod'], options)).code, 0)
  t.equal(basic(), `ops:${code}`)
  const env = { PORTCULLIS_PROFILE: 'prod' }
  t.equal((await run(['nodes'], { ...options, env })).code, 0)
  t.equal((await run(['profile', 'use', 'prod'], options)).code, 0)
  t.equal((await run(['nodes'], options)).code, 0)

  const listed = await run(['profile', 'list'], options)
  t.match(listed.stdout, new RegExp(`prod +yes +${url} +ops +.*prod\\.code`))
  const shown = JSON.parse((await run(['profile', 'show', '--json'], options)).stdout)
  t.match(shown, {
    source: 'profile prod (portcullis profile use)',
    auth: url,
    realtime: ['wss://rt.example/connection/websocket'],
    identity: 'ops',
    code: kept,
  })
  t.equal((await run(['profile', 'remove', 'prod'], options)).code, 0)
  t.throws(() => statSync(kept), { code: 'ENOENT' })
  t.same(JSON.parse(readFileSync(file, 'utf8')), { profiles: {} })
  const gone = await run(['nodes', '--profile', 'prod'], options)
  t.equal(gone.code, 2)
  t.match(gone.stderr, /profile "prod" does not exist; add it with/)
})

t.test('places are used in order of precedence, which show prints', async (t) => {
  const { home, options, add } = await scene(t)
  await run(add('used', '--code-env', 'OPS_CODE'), options)
  await run(add('named', '--code-env', 'OPS_CODE'), options)
  await run(['profile', 'use', 'used'], options)
  const source = async (cwd: string, env: Record<string, string>, ...args: string[]) => {
    const shown = await run(['profile', 'show', '--json', ...args], { ...options, cwd, env })
    return JSON.parse(shown.stdout).source
  }
  const both = { PORTCULLIS_PROFILE: 'used', PORTCULLIS_IDENTITY: 'me' }
  t.equal(await source(home, both, '--profile', 'named'), 'profile named (--profile)')
  t.equal(await source(home, both, 'named'), 'profile named (--profile)')
  t.equal(await source(home, both), 'profile used (PORTCULLIS_PROFILE)')
  const local = join(home, '.portcullis', 'local.json')
  t.equal(await source(home, { PORTCULLIS_IDENTITY: 'me' }), local)
  t.equal(await source(options.cwd, { PORTCULLIS_IDENTITY: 'me' }), 'environment variables')
  t.equal(
    await source(options.cwd, { PORTCULLIS_REGISTRATION_CODE: 'x' }),
    'profile used (portcullis profile use)',
    'a registration code alone does not select the environment',
  )
  const { stdout } = await run(['profile', 'show'], { ...options, cwd: home })
  const places = [
    / +--profile +not given\n/,
    / +PORTCULLIS_PROFILE +not set\n/,
    /\* +\.portcullis\/local\.json +\S+local\.json\n/,
    / +PORTCULLIS_AUTH_URL, .* +not set\n/,
    / +portcullis profile use +profile used .*\n/,
    / +defaults +defaults\n/,
  ]
  t.match(stdout, new RegExp(places.map((place) => place.source).join('')))
  t.notMatch(stdout, registrationCode)
  const aside = await run(['nodes'], { ...options, cwd: home })
  t.match(aside.stderr, /using \S+local\.json; ignoring profile used/)
})

t.test('refuses a code that is missing or readable by others', async (t) => {
  const { options, add } = await scene(t)
  const file = join(options.cwd, 'code')
  writeFileSync(file, `${code}\n`, { mode: 0o644 })
  chmodSync(file, 0o644)
  await run(add('open', '--code-file', 'code'), options)
  const open = await run(['nodes', '--profile', 'open'], options)
  t.equal(open.code, 1)
  t.match(open.stderr, `portcullis: other users can read ${file}; run: chmod 600 ${file}\n`)
  chmodSync(file, 0o600)
  t.equal((await run(['nodes', '--profile', 'open'], options)).code, 0)
  await run(add('env', '--code-env', 'OPS_CODE'), options)
  const unset = await run(['nodes', '--profile', 'env'], options)
  t.match(unset.stderr, /OPS_CODE is not set; the profile reads .* of ops from it/)
  const set = { ...options, env: { OPS_CODE: code } }
  t.equal((await run(['nodes', '--profile', 'env'], set)).code, 0)
})

t.test('asks for a code on a terminal and does not show it', async (t) => {
  const { options, add, basic } = await scene(t)
  await run(add('asks'), options)
  const args = ['nodes', '--profile', 'asks']
  const typed = await run(args, { ...options, typed: `${code}\n` })
  t.equal(typed.code, 0, typed.stderr)
  t.equal(typed.stderr, 'Registration code of ops: \n')
  t.equal(basic(), `ops:${code}`)
  const stopped = await run(args, { ...options, typed: '\u0003' })
  t.equal(stopped.code, 1)
  t.match(stopped.stderr, /stopped; nothing was done/)
  const piped = await run(args, { ...options, stdin: `${code}\n` })
  t.equal(piped.code, 1)
  t.match(piped.stderr, /there is no terminal to ask for .* on; set/)
  const kept = await run(add('kept', '--keep-code'), { ...options, typed: `${code}\n` })
  t.equal(readFileSync(join(options.configDir, 'kept.code'), 'utf8'), `${code}\n`)
  t.notMatch(kept.stderr + kept.stdout, code)
})

t.test('a code given instead of a name is neither shown nor stored', async (t) => {
  const { options, add } = await scene(t)
  for (const more of [
    ['--code-file', code],
    ['--code-env', code],
    ['--code', code],
    [`--registration-code=${code}`],
  ]) {
    const refused = await run(add('x', ...more), options)
    t.equal(refused.code, 2, more.join(' '))
    t.notMatch(refused.stderr + refused.stdout, code)
  }
  t.match((await run(['profile', 'list'], options)).stdout, /^no profiles/)
  mkdirSync(options.configDir)
  const profile = { auth: 'http://a', realtime: [], identity: 'i', registrationCode: code }
  writeFileSync(
    join(options.configDir, 'config.json'),
    JSON.stringify({ profiles: { x: profile } }),
  )
  const clear = await run(['profile', 'list'], options)
  t.equal(clear.code, 1)
  t.match(
    clear.stderr,
    /config\.json is invalid at "profiles\/x\/registrationCode"; fix or delete it/,
  )
  t.notMatch(clear.stderr, code)
})

t.test('rejects invalid names and URLs, and a name in use', async (t) => {
  const { options, add } = await scene(t)
  await run(add('taken'), options)
  for (const args of [
    add('taken'),
    add('../up'),
    add('x', '--realtime', 'ftp://a'),
    add('x', '--code-env', 'A', '--keep-code'),
    ['profile', 'add', 'x', '--identity', 'i'],
    ['profile', 'use', 'none'],
    ['profile', 'remove', '__proto__'],
  ]) {
    t.equal((await run(args, options)).code, 2, args.join(' '))
  }
  t.equal((await run(add('taken', '--replace'), options)).code, 0)
})
