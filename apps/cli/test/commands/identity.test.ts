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
  selector: { identity: 'shop/eu' },
}
const secret = 'shown-this-once'

t.test('register sends what it was told, and shows the code this once', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: {
      'POST /v1/identities': { status: 201, body: { ...identity, registrationCode: secret } },
    },
  })
  const args = ['identity', 'register', 'shop/eu', '--scope', 'subscribe:news:* tokens:issue']
  const outcome = await run([...args, '--ttl', '60', '--label', 'a', '--label', 'b'], { cwd })
  t.equal(outcome.code, 0, outcome.stderr)
  t.match(outcome.stdout, /registration code +shown-this-once\nKeep it now/)
  t.notMatch(outcome.stdout, '\u001b', 'no colours in a pipe')
  t.same(JSON.parse(asked[1]?.body ?? ''), {
    identity: 'shop/eu',
    scopes: ['subscribe:news:*', 'tokens:issue'],
    tokenTtlSeconds: 60,
    labels: ['a', 'b'],
  })
  t.equal(asked[1]?.headers.authorization, 'Bearer access-token-of-admin')
  const json = await run([...args, '--json'], { cwd })
  t.equal(JSON.parse(json.stdout).registrationCode, secret)
})

t.test('a scope that does not exist is told before auth is asked', async (t) => {
  const { cwd, asked } = await installation(t, {})
  const outcome = await run(['identity', 'register', 'x', '--scope', 'fly:*'], { cwd })
  t.equal(outcome.code, 2)
  t.match(outcome.stderr, /--scope names a scope that does not exist/)
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
  const args = ['identity', 'suspend', 'shop', '--wait']
  const { code, stdout } = await run([...args, '60000'], { cwd })
  t.equal(code, 0)
  t.match(stdout, /^suspended shop\nrevoked 2 tokens, .* complete\n[\s\S]*one +fenced/)
  t.same(JSON.parse(asked[1]?.body ?? ''), {}, 'it is the command that waits')
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

t.test('suspend, resume, delete and codes go to their routes', async (t) => {
  const base = '/v1/identities/shop%2Feu'
  const { cwd, asked } = await installation(t, {
    routes: {
      [`POST ${base}/suspend`]: { body: { identity, revocation } },
      [`POST ${base}/resume`]: { body: identity },
      [`DELETE ${base}`]: { status: 204 },
      [`POST ${base}/registration-codes`]: {
        status: 201,
        body: { id: 'code2', createdAt: 1, registrationCode: secret },
      },
      [`DELETE ${base}/registration-codes/code2`]: { status: 204 },
    },
  })
  const cases: [string[], RegExp][] = [
    [
      ['suspend', 'shop/eu', '--reason', 'left'],
      /suspended shop\/eu; revoked 2 of its tokens, receipt 0-abcdefghijklmnopqrstuv/,
    ],
    [['resume', 'shop/eu'], /resumed shop\/eu/],
    [['delete', 'shop/eu'], /deleted shop\/eu/],
    [['code', 'add', 'shop/eu', '--expire-others', '0'], /registration code +shown-this-once/],
    [['code', 'remove', 'shop/eu', 'code2'], /removed code2/],
  ]
  for (const [args, shown] of cases) {
    const { code, stdout, stderr } = await run(['identity', ...args], { cwd })
    t.equal(code, 0, stderr)
    t.match(stdout, shown)
  }
  const bodies = asked.filter(({ route }) => !route.endsWith('/oauth/token'))
  t.same(JSON.parse(bodies[0]?.body ?? ''), { reason: 'left' })
  t.same(JSON.parse(bodies[3]?.body ?? ''), { expireOthersInSeconds: 0 })
})
