import { join } from 'node:path'
import t from 'tap'
import { installation } from '../fixtures/installation.js'
import { keys, openTerminal } from '../fixtures/real-terminal.js'
import { receipt } from '../fixtures/receipts.js'

const since = Date.now() - 5 * 3_600_000
const nodes = ['one', 'two'].map((node) => ({
  node,
  instance: 'abcdefgh',
  identity: 'realtime',
  connected: true,
  fenced: false,
  pending: 0,
  since,
  url: `http://${node}.realtime.eu-west.internal.example.com:8000`,
}))
const routes = { 'GET /v1/nodes': { body: { nodes } } }

t.test('colours and width follow the terminal', async (t) => {
  const { cwd } = await installation(t, { routes })
  const coloured = openTerminal(t, ['nodes'], { cwd, columns: 80 })
  const plain = openTerminal(t, ['nodes'], { cwd, columns: 80, env: { NO_COLOR: '1' } })
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

t.test('a narrow terminal shows each row as a block, and cuts nothing', async (t) => {
  const { cwd } = await installation(t, { routes })
  const terminal = openTerminal(t, ['nodes'], { cwd, columns: 50 })
  t.equal(await terminal.ended, 0)
  t.match(terminal.screen(), /^NODE {5}one\nSTATE {4}connected\nPENDING {2}0\n/)
  t.notMatch(terminal.screen(), '…')
})

t.test('a typed registration code is not shown', async (t) => {
  const { cwd, url, asked } = await installation(t, { routes })
  const code = 'a-code-that-stays-secret'
  const env = { PORTCULLIS_AUTH_URL: url, PORTCULLIS_IDENTITY: 'ops' }
  const terminal = openTerminal(t, ['nodes'], { cwd: join(cwd, '..'), env })
  await terminal.shows('Registration code of ops:')
  terminal.enter(code)
  t.equal(await terminal.ended, 0)
  t.match(terminal.screen(), /^Registration code of ops: *\nNODE/)
  t.notMatch(terminal.written(), code)
  t.equal(asked[0]?.headers.authorization, `Basic ${btoa(`ops:${code}`)}`)
})

t.test('asks for confirmation of a wide revocation', async (t) => {
  const { cwd, asked } = await installation(t, {
    routes: {
      'POST /v1/revocations': ({ body }) =>
        JSON.parse(body).dryRun
          ? { body: { dryRun: true, tokens: 12 } }
          : { status: 201, body: receipt('one acked 1') },
      'GET /v1/tokens/count/by-identity': { body: { identities: [] } },
    },
  })
  const terminal = openTerminal(t, ['revoke', '--all'], { cwd })
  await terminal.shows(/would revoke 12 tokens[\s\S]*covers {2}every token[\s\S]*Revoke\? \[y\/N\]/)
  t.ok(terminal.styled('Revoke?'))
  t.notOk(asked.some(({ body }) => body === '{"all":true}'))
  terminal.type('x', keys.backspace)
  terminal.enter('y')
  t.equal(await terminal.ended, 0)
  t.match(terminal.screen(), /Revoke\? \[y\/N\] y\nrevoked 2 tokens, closed 1 connection complete/)
})
