import t from 'tap'
import { type Asked, installation } from '../fixtures/installation.js'
import { id, inTurn, receipt } from '../fixtures/receipts.js'
import { run } from '../fixtures/run.js'

const kid = (letter: string) => letter.repeat(43)
const hours = 3_600_000
const now = Date.now()
const keys = [
  { kid: kid('n'), alg: 'ES256', state: 'next', createdAt: now, readyAt: now + 2 * hours },
  { kid: kid('c'), alg: 'EdDSA', state: 'current', createdAt: now - 60 * hours },
  { kid: kid('p'), alg: 'EdDSA', state: 'previous', createdAt: now, removedAt: now + 60 * hours },
]

t.test('list and rotate show the keys', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: { 'GET /v1/keys': { body: { keys } }, 'POST /v1/keys/rotate': { body: { keys } } },
  })
  for (const verb of ['list', 'rotate']) {
    const { code, stdout, stderr } = await run(['key', verb], { cwd })
    t.equal(code, 0, stderr)
    t.match(stdout, /n{43} +ES256 +next +\S+ ago +ready in (2h|1h 59m)\n/)
    t.match(stdout, /c{43} +EdDSA +current +2d 12h ago +rotated by hand\n/)
    t.match(stdout, /p{43} +EdDSA +previous +\S+ ago +removed in 2d (12|11)h\n/)
    t.same(JSON.parse((await run(['key', verb, '--json'], { cwd })).stdout), { keys })
  }
  t.equal(asked.at(-1)?.route, 'POST /v1/keys/rotate')
})

t.test('revoke asks, waits for the nodes, and shows the remaining keys', async (t) => {
  const path = `POST /v1/keys/${kid('c')}/revoke`
  const { cwd, asked } = await installation(t, {
    routes: {
      'POST /v1/revocations': { body: { dryRun: true, tokens: 12 } },
      'GET /v1/tokens/count/by-identity': { body: { identities: [] } },
      [path]: { status: 201, body: { kid: kid('c'), revocation: receipt('one pending'), keys } },
      [`GET /v1/revocations/${id}`]: inTurn({ body: receipt('one acked') }),
    },
  })
  const args = ['key', 'revoke', kid('c'), '--reason', 'stolen']
  const done = ({ route }: Asked) => route === path
  const unasked = await run(args, { cwd })
  t.equal(unasked.code, 2)
  t.match(unasked.stderr, /revokes every token, .*; add --yes/)
  const no = await run(args, { cwd, typed: '\n', env: { NO_COLOR: '1' } })
  t.equal(no.code, 1)
  t.match(no.stderr, /would revoke 12 tokens[\s\S]*Remove the key c{43} and revoke every/)
  t.notOk(asked.some(done))
  const yes = await run([...args, '--yes'], { cwd })
  t.equal(yes.code, 0, yes.stderr)
  t.match(yes.stdout, /^revoked 2 tokens[\s\S]*one +acked[\s\S]*n{43} +ES256 +next/)
  t.same(JSON.parse(asked.find(done)?.body ?? ''), { reason: 'stolen' })
})
