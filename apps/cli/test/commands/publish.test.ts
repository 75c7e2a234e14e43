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
    ['true story', 'true story'],
    ['12 o’clock', '12 o’clock'],
  ] as const) {
    const { code, stdout, stderr } = await run(['publish', 'demo:x', text, '--node', '1'], { cwd })
    t.equal(code, 0, stderr)
    t.equal(stdout, 'published into demo:x\n')
    t.equal(stderr, '')
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), { channel: 'demo:x', data })
    t.equal(asked.at(-1)?.headers.authorization, 'Bearer access-token-of-admin')
  }
})

t.test('sends JSON unchanged, with every digit and repeated name', async (t) => {
  const { cwd, asked } = await installation(t, { routes: published })
  const text = '{"id":9223372036854775807,"a":1,"a":1.50}'
  t.equal((await run(['publish', 'demo:x', text], { cwd })).code, 0)
  t.equal(asked.at(-1)?.body, `{"channel":"demo:x","data":${text}}`)
})

t.test('warns when data looks like broken JSON, and sends it as a string', async (t) => {
  const { cwd, asked } = await installation(t, { routes: published })
  for (const text of ['{id: 1}', "[{'id': 1}]", '"open', ' {"a":1,}']) {
    const { code, stdout, stderr } = await run(['publish', 'demo:x', text], { cwd })
    t.equal(code, 0)
    t.equal(stdout, 'published into demo:x\n')
    t.match(stderr, /begins like JSON but is not valid JSON, so it is sent as a string; .*--text/)
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), { channel: 'demo:x', data: text })
  }
})

t.test('--text sends a string without a warning, also if it is JSON', async (t) => {
  const { cwd, asked } = await installation(t, { routes: published })
  for (const text of ['{id: 1}', '7']) {
    const { stderr } = await run(['publish', 'demo:x', text, '--text'], { cwd })
    t.equal(stderr, '')
    t.same(JSON.parse(asked.at(-1)?.body ?? ''), { channel: 'demo:x', data: text })
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
