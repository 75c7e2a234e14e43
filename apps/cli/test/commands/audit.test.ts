import t from 'tap'
import { type Asked, installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const entry = (n: number, more: object = {}) => ({
  id: `${n}.0`,
  at: 1_700_000_000_000,
  action: 'identity.suspend',
  result: 'ok',
  status: 200,
  actor: { identity: 'admin', subject: 'admin' },
  target: { identity: `shop${n}`, revocation: 'r1' },
  address: '127.0.0.1',
  requestId: 'q',
  ...more,
})
const query = ({ route }: Asked) => new URLSearchParams(route.split('?')[1])

t.test('lists entries, newest first, with filters and a limit', async (t) => {
  const claimed = { result: 'refused', status: 401, error: 'invalid_client' }
  const odd = entry(2, {
    ...claimed,
    actor: { identity: 'evil', claimed: true },
    target: { label: 'l\nx' },
  })
  const own = { actor: undefined, status: undefined, address: undefined, requestId: undefined }
  const folded = entry(-2, { ...own, ...claimed, address: '10.0.0.1', count: 299 })
  const entries = [odd, entry(1), entry(0, { actor: undefined }), entry(-1, own), folded]
  const { cwd, asked } = await installation(t, {
    routes: { 'GET /v1/audit': { body: { entries, cursor: 'c1' } } },
  })
  const filter = ['--actor', 'a', '--action', 'identity', '--result', 'ok', '--identity', 'b']
  const times = ['--from', '2026-01-31T12:00:00Z', '--to', '1769860800001']
  const args = ['audit', ...filter, ...times, '--limit', '5']
  const { code, stdout, stderr } = await run(args, { cwd })
  t.equal(code, 0, stderr)
  t.match(
    stdout,
    /refused +identity\.suspend +evil\? +label l\\u000ax +invalid_client +127\.0\.0\.1\n/,
  )
  t.match(stdout, /ok +identity\.suspend +admin +shop1, revocation r1 +127\.0\.0\.1\n/)
  t.match(stdout, /ok +identity\.suspend +\(unknown\) +shop0/)
  t.match(stdout, /ok +identity\.suspend +\(auth itself\) +shop-1, revocation r1 *\n/)
  t.match(stdout, /refused +identity\.suspend +\(unknown\) .* invalid_client ×299 +10\.0\.0\.1\n/)
  t.match(stderr, 'there are more')
  t.equal(
    asked.at(-1)?.route,
    'GET /v1/audit?actor=a&action=identity&result=ok&identity=b' +
      '&from=1769860800000&to=1769860800001&limit=5',
  )
  const json = await run([...args, '--json'], { cwd })
  t.match(JSON.parse(json.stdout), { entries: [{ id: '2.0' }, { id: '1.0' }, {}, {}], more: true })
  for (const wrong of [
    ['--result', 'good'],
    ['--follow', '--export'],
    ['--limit', '0'],
  ]) {
    t.equal((await run(['audit', ...wrong], { cwd })).code, 2)
  }
})

t.test('--follow shows the last entries, then each new one, exactly once', async (t) => {
  const stop = new AbortController()
  const following: string[] = []
  const { cwd, asked } = await installation(t, {
    routes: {
      'GET /v1/audit': (request) => {
        const after = query(request).get('after')
        // An entry was appended after the end of the log was read.
        if (!query(request).has('action')) {
          return { body: { entries: [entry(1)] } }
        }
        if (after === null) {
          return { body: { entries: [entry(2), entry(1)], cursor: '1.0' } }
        }
        following.push(after)
        if (following.length === 1) {
          return { body: { entries: [entry(3)], cursor: '3.0' } }
        }
        if (following.length === 2) {
          return { status: 503, body: { detail: 'Redis is away' } }
        }
        stop.abort()
        return { body: { entries: [], cursor: '3.0' } }
      },
    },
  })
  const args = ['audit', '--follow', '--limit', '2', '--action', 'identity']
  const { code, stdout, stderr } = await run(args, { cwd, stop: stop.signal })
  t.equal(code, 0, stderr)
  const lines = stdout.trimEnd().split('\n')
  t.same(
    lines.map((line) => /shop\d/.exec(line)?.[0]),
    ['shop1', 'shop2', 'shop3'],
  )
  t.match(lines[0], /^\S+ \S+ +ok +identity\.suspend +admin +shop1, revocation r1 +from 127/)
  t.equal(stderr, 'auth: Redis is away\n')
  t.same(following, ['2.0', '3.0', '3.0'])
  const follows = asked.map(query).filter((one) => one.has('after'))
  t.ok(follows.every((one) => one.get('action') === 'identity' && one.get('wait') === '20000'))
})

t.test('--follow starts with an empty log, and reports a refusal', async (t) => {
  const stop = new AbortController()
  const { cwd } = await installation(t, {
    routes: {
      'GET /v1/audit': (request) => {
        if (!query(request).has('after')) {
          return { body: { entries: [] } }
        }
        t.equal(query(request).get('after'), '0.0')
        stop.abort()
        return { body: { entries: [entry(1)], cursor: '1.0' } }
      },
    },
  })
  const args = ['audit', '--follow', '--json']
  const none = await run(args, { cwd, stop: stop.signal })
  t.equal(none.code, 0)
  const refusing = await installation(t, {
    routes: { 'GET /v1/audit': { status: 403, body: { detail: 'needs audit:read' } } },
  })
  const refused = await run(args, { cwd: refusing.cwd })
  t.equal(refused.code, 3)
  t.equal(refused.stderr, 'portcullis: auth: needs audit:read\n')
})

t.test('--export writes whole lines and names the entry to continue after', async (t) => {
  const lines = [entry(1), entry(2)].map((one) => JSON.stringify(one))
  const whole = await installation(t, {
    routes: { 'GET /v1/audit/export': { body: `${lines.join('\n')}\n` } },
  })
  const args = ['audit', '--export', '--action', 'identity']
  const { code, stdout, stderr } = await run([...args, '--after', '0.0'], { cwd: whole.cwd })
  t.equal(code, 0, stderr)
  t.equal(stdout, `${lines.join('\n')}\n`)
  t.equal(whole.asked.at(-1)?.route, 'GET /v1/audit/export?action=identity&after=0.0')
  const cut = await installation(t, {
    routes: { 'GET /v1/audit/export': { body: `${lines[0]}\n{"id":"2.0","at"`, cut: true } },
  })
  const broken = await run(args, { cwd: cut.cwd })
  t.equal(broken.code, 1)
  t.equal(broken.stdout, `${lines[0]}\n`, 'only whole lines')
  t.equal(broken.stderr, 'portcullis: the export was interrupted; continue with --after 1.0\n')
})
