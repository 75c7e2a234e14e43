import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

const published = { 'POST /api/publish': { body: { result: {} } } }

t.test('publishes JSON as JSON and other text as a string', async (t) => {
  const { cwd, asked } = await installation(t, { routes: published })
  for (const [text, data] of [
    ['{"text":"hello"}', { text: 'hello' }],
    ['7', 7],
    ['hello there', 'hello there'],
    ['{broken', '{broken'],
  ] as const) {
    const { code, stdout, stderr } = await run(['publish', 'demo:x', text, '--node', '1'], { cwd })
    t.equal(code, 0, stderr)
    t.equal(stdout, 'published into demo:x\n')
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), { channel: 'demo:x', data })
    t.equal(asked.at(-1)?.headers.authorization, 'Bearer access-token-of-admin')
  }
})

t.test('--url chooses the node, and --json prints the result', async (t) => {
  const { cwd, url } = await installation(t, {
    routes: { 'POST /api/publish': { body: { result: { offset: 3, epoch: 'e' } } } },
  })
  const socket = `${url.replace('http', 'ws')}/connection/websocket`
  const { stdout } = await run(['publish', 'demo:x', '1', '--url', socket, '--json'], { cwd })
  t.same(JSON.parse(stdout), { channel: 'demo:x', offset: 3, epoch: 'e' })
})

t.test('distinguishes an error reply, a refusal and a foreign server', async (t) => {
  const cases = [
    [{ body: { error: { code: 103, message: 'permission denied' } } }, 3, /103 permission denied/],
    [{ body: { error: { code: 100, message: 'internal' } } }, 1, /100 internal/],
    [{ status: 401, body: { detail: 'the token is not active' } }, 3, /the token is not active/],
    [{ body: '<html>' }, 1, /is not from realtime; check the URL \(--realtime\)/],
    [{ body: [] }, 1, /is not from realtime/],
  ] as const
  for (const [answer, code, message] of cases) {
    const { cwd } = await installation(t, { routes: { 'POST /api/publish': answer } })
    const outcome = await run(['publish', 'demo:x', '1'], { cwd })
    t.equal(outcome.code, code)
    t.match(outcome.stderr, message)
    t.equal(outcome.stderr.split('\n').length, 2, 'one line')
  }
})
