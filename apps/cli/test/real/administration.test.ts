import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startAuth, testRedis } from '@portcullis/local'
import t from 'tap'
import { run } from '../fixtures/run.js'

t.test('administers a real auth', async (t) => {
  const { url: redisUrl, prefix } = await testRedis(t)
  const auth = await startAuth({ redisUrl, prefix })
  t.teardown(() => auth.stop())
  const cwd = t.testdir()
  const options = { cwd, configDir: join(cwd, 'config') }
  /** Runs the command with the chosen profile and returns its JSON. */
  const portcullis = async (...args: string[]) => {
    const { code, stdout, stderr } = await run([...args, '--json'], options)
    t.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return JSON.parse(stdout)
  }
  const add = (name: string, identity: string) =>
    ['profile', 'add', name, '--auth', auth.url, '--identity', identity] as const
  const kept = [...add('admin', 'admin'), '--keep-code']
  await run(kept, { ...options, stdin: `${auth.admin.registrationCode}\n` })
  await portcullis('profile', 'use', 'admin')

  const scope = 'subscribe:demo:* tokens:issue'
  await portcullis('identity', 'register', 'shop', '--scope', scope, '--out', 'shop.code')
  await portcullis('identity', 'change', 'shop', '--ttl', '600', '--label', 'team')
  t.match(await portcullis('identity', 'show', 'shop'), { tokenTtlSeconds: 600, labels: ['team'] })
  await portcullis(...add('shop', 'shop'), '--code-file', 'shop.code')
  const issue = ['token', 'issue', '--subject', 'ada', '--profile', 'shop']
  t.match(await portcullis(...issue, '--out', 'ada.token'), { expires_in: 600 })

  const old = readFileSync(join(cwd, 'shop.code'), 'utf8')
  await portcullis('code', 'rotate', 'shop', '--overlap', '0', '--out', 'shop.code')
  t.not(readFileSync(join(cwd, 'shop.code'), 'utf8'), old)
  await portcullis(...issue, '--out', 'ada.token')
  const codes = await portcullis('code', 'list', 'shop')
  t.equal(codes.registrationCodes.length, 1, 'the old code is gone')

  t.match(await portcullis('token', 'list', '--identity', 'shop', '--subject', 'ada'), {
    tokens: [{ identity: 'shop', state: 'active' }, { identity: 'shop' }],
  })
  t.match(await portcullis('token', 'count', '--any', '--subject', 'ada'), { active: 2 })
  t.match(await portcullis('connections', '--identity', 'shop'), { connections: 0, complete: true })
  const dry = await run(['revoke', '--identity', 'shop', '--dry-run'], options)
  t.match(dry.stdout, /would revoke 4 tokens\n[\s\S]* ada +active /)

  const no = { ...options, typed: 'n\n' }
  t.equal((await run(['identity', 'suspend', 'shop'], no)).code, 1)
  t.match(await portcullis('identity', 'show', 'shop'), { state: 'active' })
  const yes = { ...options, typed: 'y\n' }
  const suspended = await run(['identity', 'suspend', 'shop'], yes)
  t.equal(suspended.code, 0, suspended.stderr)
  t.match(suspended.stderr, /would revoke 4 tokens/)
  t.match(suspended.stdout, /suspended shop; revoked 4 of its tokens/)
  t.equal((await run([...issue, '--json'], options)).code, 3, 'refused')
  await portcullis('identity', 'resume', 'shop')

  const hears = ['--poll', '--as', 'shop', '--identity', 'shop']
  const { id } = await portcullis('receiver', 'add', '--aud', 'https://shop.example', ...hears)
  t.match(await portcullis('receiver', 'pause', id), { status: 'paused', identities: ['shop'] })
  await portcullis('receiver', 'verify', id)
  t.match(await portcullis('receiver', 'show', id), { progress: { pending: 1 } })
  const wider = await portcullis('receiver', 'change', id, '--every-identity')
  t.notOk('identities' in wider)
  await portcullis('receiver', 'delete', id, '--yes')
  t.same(await portcullis('receiver', 'list'), { receivers: [] })
  await portcullis('identity', 'delete', 'shop', '--yes')
  t.match(await portcullis('revocation', 'list'), { revocations: [{ tokens: 0 }, { tokens: 4 }] })

  const { tokens } = await portcullis('token', 'list')
  const active = tokens.filter(({ state }: { state: string }) => state === 'active')
  t.equal(active.length, 1, 'of all commands only the one that lists has a token')
  t.equal(active[0].scope, 'tokens:read')
  t.ok(active[0].expiresAt - active[0].issuedAt <= 61_000)
  const { entries } = await portcullis('audit', '--action', 'revocation')
  const previews = [{ detail: { dryRun: true } }, { detail: { dryRun: true } }]
  t.match(entries, [...previews, { detail: { dryRun: true } }])
  t.equal(entries.length, 3, 'no entry for the tokens that commands have revoked at their end')

  const { keys } = await portcullis('key', 'list')
  t.match(keys, [{ state: 'next' }, { state: 'current' }])
  const revoked = await portcullis('key', 'revoke', keys[1].kid, '--yes')
  t.match(revoked, { keys: [{ state: 'next' }, { kid: keys[0].kid, state: 'current' }] })
  t.match(await portcullis('audit', '--action', 'identity', '--limit', '2'), {
    entries: [{ action: 'identity.delete' }, { action: 'identity.resume' }],
    more: true,
  })

  const stop = new AbortController()
  const following = run(['audit', '--follow', '--limit', '1', '--action', 'identity', '--json'], {
    ...options,
    stop: stop.signal,
    onWrite: (text) => {
      if (text.includes('identity.register')) {
        stop.abort()
      }
    },
  })
  await portcullis('identity', 'register', 'other', '--scope', 'introspect')
  const followed = await following
  t.equal(followed.code, 0, followed.stderr)
  const actions = followed.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).action)
  t.same(actions.slice(-1), ['identity.register'])
  const exported = await run(['audit', '--export', '--action', 'identity'], options)
  const lines = exported.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(lines[0], { target: { identity: 'admin' }, detail: { cause: 'start' } })
  t.equal(lines[1].target.identity, 'shop')
  t.equal(lines.at(-1).target.identity, 'other')
  t.notMatch(exported.stdout, readFileSync(join(cwd, 'shop.code'), 'utf8').trim())
})
