import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runProgram } from '../run-program.js'
import { startSite } from '../start-site.js'
import { prepareGo } from './prepare.js'

// The first run downloads modules.
t.setTimeout(600_000)

const folder = await mkdtemp(join(tmpdir(), 'portcullis-go-'))
t.teardown(() => rm(folder, { recursive: true, force: true }))
const missing = await prepareGo(folder)
const skip = missing ?? false

const programs = [
  { name: 'centrifuge-go over JSON', program: 'sdk', env: {} },
  { name: 'centrifuge-go over Protobuf', program: 'sdk', env: { PROTOBUF: '1' } },
  { name: 'golang.org/x/oauth2', program: 'oauth', env: {} },
  { name: 'the backend of docs/backend.md', program: 'issue', env: {} },
]

for (const { name, program, env } of programs) {
  t.test(name, { skip }, async (t) => {
    const site = await startSite(t)
    await runProgram(t, { command: join(folder, program), args: [], env: { ...site, ...env } })
  })
}

t.test('docs/backend.md shows the Go backend that is tested here', async (t) => {
  const page = await readFile(new URL('../../../docs/backend.md', import.meta.url), 'utf8')
  t.ok(page.includes(await readFile(new URL('backend/backend.go', import.meta.url), 'utf8')))
})
