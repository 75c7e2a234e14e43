import t from 'tap'
import { installation } from './fixtures/installation.js'
import { openTerminal } from './fixtures/real-terminal.js'

const since = Date.now() - 5 * 3_600_000
const nodes = ['one', 'two'].map((node) => ({
  node,
  instance: 'abcdefgh',
  connected: true,
  fenced: false,
  pending: 0,
  since,
  url: `http://${node}.realtime.internal.example.com:8000`,
}))
const routes = { 'GET /v1/nodes': { body: { nodes } } }

t.test('colours and width follow the terminal', async (t) => {
  const { cwd } = await installation(t, { routes })
  const coloured = openTerminal(t, ['nodes'], { cwd, columns: 50 })
  const plain = openTerminal(t, ['nodes'], { cwd, columns: 50, env: { NO_COLOR: '1' } })
  t.equal(await coloured.ended, 0)
  t.ok(coloured.styled('NODE'))
  t.ok(coloured.styled('connected'))
  t.notOk(coloured.styled('two'))
  const lines = coloured.screen().split('\n')
  t.equal(lines.length, 3, coloured.screen())
  t.match(lines[1], /^one {3}connected +0 {2}5h ago {2}http:\/\/one.*…$/)

  t.equal(await plain.ended, 0)
  t.equal(plain.screen(), coloured.screen())
  t.notOk(plain.styled('connected'))
  t.notMatch(plain.written(), '\u001b[', 'https://no-color.org')
})
