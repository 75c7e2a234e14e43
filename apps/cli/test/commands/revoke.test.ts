import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { installation } from '../fixtures/installation.js'
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
}
const done = { 'POST /v1/revocations': { status: 201, body: receipt } }

t.test('the receipt is a table of the nodes', async (t) => {
  const { cwd } = await installation(t, { routes: done })
  const { code, stdout, stderr } = await run(['revoke', '--subject', 'ada'], { cwd })
  t.equal(code, 0, stderr)
  t.match(stdout, /^revoked 2 tokens, closed 1 connection complete\n/)
  t.match(stdout, /covers +identity admin, subject ada/)
  t.match(stdout, /realtime-8000 +acked +1 +2\.5\nrealtime-8001 +acked +0 +3\.0\n/)
  const json = await run(['revoke', '--subject', 'ada', '--json'], { cwd })
  t.same(JSON.parse(json.stdout), receipt)
})

t.test('each selector is sent as the contract has it', async (t) => {
  const { cwd, asked } = await installation(t, { routes: done })
  writeFileSync(join(cwd, 'token'), 'a.b.c\n')
  const cases: [string[], object][] = [
    [['--token-file', 'token'], { token: 'a.b.c' }],
    [['--jti', receipt.id], { token: receipt.id }],
    [['--identity', 'shop'], { identity: 'shop' }],
    [['--subject', 'ada'], { identity: 'admin', subject: 'ada' }],
    [['--subject', 'ada', '--identity', 'shop'], { identity: 'shop', subject: 'ada' }],
    [['--label', 'l'], { identity: 'admin', label: 'l' }],
    [['--all'], { all: true }],
  ]
  for (const [args, selector] of cases) {
    const outcome = await run(['revoke', ...args], { cwd })
    t.equal(outcome.code, 0, outcome.stderr)
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), selector)
  }
  const time = '2026-01-31T12:00:00Z'
  const more = ['--issued-before', time, '--reason', 'left', '--wait', '100', '--replicas', '2']
  await run(['revoke', '--all', ...more], { cwd })
  t.same(JSON.parse(asked.at(-1)?.body ?? ''), {
    all: true,
    issuedBefore: Date.parse(time),
    reason: 'left',
    replicas: 2,
  })
})

t.test(
  'no selector, two selectors and bad values are usage errors; auth is not asked',
  async (t) => {
    const { cwd, asked } = await installation(t, { routes: done })
    for (const args of [
      [],
      ['--all', '--subject', 'ada'],
      ['--all', '--identity', 'shop'],
      ['--subject', 'ada', '--label', 'l'],
      ['--jti', 'x', '--identity', 'shop'],
      ['--all', '--issued-before', 'yesterday'],
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
  },
)

t.test('a dry run only counts', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: { 'POST /v1/revocations': { body: { dryRun: true, tokens: 1 } } },
  })
  const { stdout } = await run(['revoke', '--all', '--dry-run'], { cwd })
  t.equal(stdout, 'would revoke 1 token\n')
  t.same(JSON.parse(asked.at(-1)?.body ?? ''), { all: true, dryRun: true })
})

t.test('fewer Redis replicas than asked are told, with exit code 1', async (t) => {
  const body = { ...receipt, replicas: 1, replicasAsked: 2 }
  const { cwd } = await installation(t, {
    routes: { 'POST /v1/revocations': { status: 201, body } },
  })
  const { code, stdout, stderr } = await run(['revoke', '--all', '--wait', '0'], { cwd })
  t.equal(code, 1)
  t.match(stdout, /replicas +1 of 2 have it/)
  t.equal(stderr, 'portcullis: revoked, but only 1 of 2 Redis replicas have it\n')
})
