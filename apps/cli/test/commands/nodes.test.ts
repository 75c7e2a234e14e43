import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { run } from '../fixtures/run.js'

t.test('nodes are listed with what they have not confirmed', async (t) => {
  const node = { instance: 'abcdefgh', since: Date.now() - 217_800_000 }
  const nodes = [
    { ...node, node: 'realtime-8000', connected: true, pending: 0, url: 'http://127.0.0.1:8000' },
    { ...node, node: 'realtime-8001', connected: false, pending: 2 },
  ]
  const { cwd } = await installation(t, { routes: { 'GET /v1/nodes': { body: { nodes } } } })
  const { stdout } = await run(['nodes'], { cwd })
  t.match(stdout, /realtime-8000 +connected +0 +2d 12h ago +http:\/\/127\.0\.0\.1:8000\n/)
  t.match(stdout, /realtime-8001 +away +2 +2d 12h ago\n/)
  t.same(JSON.parse((await run(['nodes', '--json'], { cwd })).stdout), { nodes })
})
