import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { id, inTurn, receipt } from '../fixtures/receipts.js'
import { run } from '../fixtures/run.js'

const path = `GET /v1/revocations/${id}`
const pending = { body: receipt('one acked 1', 'two pending') }
const fenced = { body: receipt('one acked 1', 'two fenced') }

t.test('show prints the current receipt; --wait waits for the nodes', async (t) => {
  const { cwd } = await installation(t, { routes: { [path]: inTurn(pending, pending, fenced) } })
  const now = await run(['revocation', 'show', id], { cwd })
  t.equal(now.code, 0, 'a pending node is no failure without --wait')
  t.match(now.stdout, /at +2023-11-14T22:13:20\.000Z\n/)
  t.match(now.stdout, /two +pending +0\n/)
  t.equal(now.stderr, '')
  const later = await run(['revocation', 'show', id, '--wait', '60000'], { cwd })
  t.equal(later.code, 0)
  t.match(later.stdout, /two +fenced +0 +9012\.3\n/)
  const json = await run(['revocation', 'show', id, '--json'], { cwd })
  t.same(JSON.parse(json.stdout), fenced.body)
})

t.test('show --wait has exit code 1 when a node has not confirmed in time', async (t) => {
  const { cwd } = await installation(t, { routes: { [path]: pending } })
  const { code, stderr } = await run(['revocation', 'show', id, '--wait', '30'], { cwd })
  t.equal(code, 1)
  t.match(stderr, /portcullis: revoked, but not yet confirmed by two\n$/)
})

t.test('reports an unknown receipt', async (t) => {
  const { cwd } = await installation(t, {
    routes: {
      'GET /v1/revocations/x%2Fy': { status: 404, body: { detail: 'no such revocation' } },
    },
  })
  const { code, stderr } = await run(['revocation', 'show', 'x/y'], { cwd })
  t.equal(code, 1)
  t.equal(stderr, 'portcullis: auth: no such revocation\n')
  for (const args of [[], ['show'], ['show', 'x', '--wait', '-1'], ['list', '--limit', '0']]) {
    t.equal((await run(['revocation', ...args], { cwd })).code, 2, args.join(' '))
  }
})

t.test('list follows the pages up to the limit', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: {
      'GET /v1/revocations': ({ route }) => {
        const one = route.includes('cursor=c2') ? fenced.body : { ...pending.body, reason: 'left' }
        return { body: { revocations: [one], cursor: 'c2' } }
      },
    },
  })
  const args = ['revocation', 'list', '--limit', '2']
  const { stdout, stderr } = await run(args, { cwd })
  const [, first, second] = stdout.split('\n')
  t.match(first, /^0-\S{22} +not complete +1 acked, 1 pending +2 .* ago +identity admin, .* left$/)
  t.match(second, /^0-\S{22} +complete +1 acked, 1 fenced +2 .* ago +identity admin, subject ada$/)
  t.match(stderr, 'there are more')
  t.same(
    asked.slice(1).map(({ route }) => route),
    ['GET /v1/revocations?limit=2', 'GET /v1/revocations?limit=1&cursor=c2'],
  )
  const json = await run([...args, '--json'], { cwd })
  t.match(JSON.parse(json.stdout), { revocations: [{ id }, { id }], more: true })
  const none = await installation(t, {
    routes: { 'GET /v1/revocations': { body: { revocations: [] } } },
  })
  t.equal((await run(['revocation', 'list'], { cwd: none.cwd })).stdout, 'no revocations\n')
})
