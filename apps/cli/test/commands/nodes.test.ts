import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { inTurn } from '../fixtures/receipts.js'
import { run } from '../fixtures/run.js'

t.test('lists nodes with their pending revocations', async (t) => {
  const node = { instance: 'abcdefgh', identity: 'realtime', since: Date.now() - 217_800_000 }
  const nodes = [
    {
      ...node,
      node: 'realtime-8000',
      connected: true,
      fenced: false,
      pending: 0,
      url: 'http://127.0.0.1:8000',
    },
    { ...node, node: 'realtime-8001', connected: false, fenced: false, pending: 2 },
    { ...node, node: 'realtime-8002', connected: true, fenced: true, pending: 0 },
  ]
  const { cwd } = await installation(t, { routes: { 'GET /v1/nodes': { body: { nodes } } } })
  const { stdout } = await run(['nodes'], { cwd })
  t.match(stdout, /realtime-8000 +connected +0 +2d 12h ago +http:\/\/127\.0\.0\.1:8000\n/)
  t.match(stdout, /realtime-8001 +away +2 +2d 12h ago\n/)
  t.match(stdout, /realtime-8002 +fenced +0 +2d 12h ago\n/, 'a fenced node may be connected')
  t.same(JSON.parse((await run(['nodes', '--json'], { cwd })).stdout), { nodes })
})

const since = Date.now()
const one = {
  node: 'one',
  identity: 'realtime',
  instance: 'abcdefgh',
  connected: true,
  fenced: false,
  pending: 0,
  since,
}
const two = { ...one, node: 'two', instance: 'ijklmnop' }
const list = (...nodes: object[]) => ({ body: { nodes } })
const away = { ...two, connected: false, pending: 1 }
const lists = [
  list(one, two),
  list(one, away),
  { status: 503, body: { detail: 'Redis is away' } },
  list(one, { ...away, fenced: true, pending: 0 }),
  list(one),
] as const

/** Answers with each of the lists, and stops the watch at the last one. */
function watched() {
  const stop = new AbortController()
  const next = inTurn(...lists)
  let asked = 0
  const answer = (request: Parameters<typeof next>[0]) => {
    asked += 1
    if (asked === lists.length) {
      stop.abort()
    }
    return next(request)
  }
  return { stop: stop.signal, routes: { 'GET /v1/nodes': answer } }
}

t.test('--watch in a pipe prints a line for each change', async (t) => {
  const { stop, routes } = watched()
  const { cwd } = await installation(t, { routes })
  const { code, stdout, stderr } = await run(['nodes', '--watch'], { cwd, stop })
  t.equal(code, 0)
  t.same(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} {2}/, '')),
    [
      'one  connected  0 pending',
      'two  connected  0 pending',
      'two  away  1 pending',
      'two  fenced  0 pending',
      'two  gone',
    ],
  )
  t.equal(stderr, 'auth: Redis is away\n')
})

t.test('--watch --json prints the list at each change', async (t) => {
  const { stop, routes } = watched()
  const { cwd } = await installation(t, { routes })
  const { stdout } = await run(['nodes', '--watch', '--json'], { cwd, stop })
  const shown = stdout.trimEnd().split('\n')
  t.same(
    shown.map((line) => JSON.parse(line)),
    lists.flatMap(({ body }) => ('nodes' in body ? [body] : [])),
  )
})

t.test('--watch on a terminal redraws the table in place', async (t) => {
  const { stop, routes } = watched()
  const { cwd } = await installation(t, { routes })
  const terminal = { columns: 80, rows: 24 }
  const { code, screens, stderr } = await run(['nodes', '--watch'], { cwd, stop, terminal })
  t.equal(code, 0)
  t.equal(stderr, '')
  const states = screens.map((screen) => /^two +(\w+)/m.exec(screen)?.[1])
  t.same(states, ['connected', 'away', 'away', 'fenced', undefined, undefined, undefined])
  t.match(screens[2], /auth: Redis is away\n$/)
  for (const screen of screens) {
    t.ok(screen.split('\n').length <= 6)
  }
  t.match(screens.at(-1), /^NODE .*\none +connected .*\n$/, 'the last table remains')
})

t.test('--watch fails when the first request fails', async (t) => {
  const { cwd } = await installation(t, { routes: { 'GET /v1/nodes': lists[2] } })
  const { code, stderr } = await run(['nodes', '--watch'], { cwd })
  t.equal(code, 1)
  t.equal(stderr, 'portcullis: auth: Redis is away\n')
})
