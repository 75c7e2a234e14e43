import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { runProgram } from '../run-program.js'
import { startSite } from '../start-site.js'
import { preparePython } from './prepare.js'

// The first run downloads packages.
t.setTimeout(600_000)

const prepared = await preparePython()
const skip = 'missing' in prepared ? prepared.missing : false

const programs = [
  { name: 'centrifuge-python over JSON', file: 'sdk.py', env: {} },
  { name: 'centrifuge-python over Protobuf', file: 'sdk.py', env: { PROTOBUF: '1' } },
  { name: 'the backend of docs/backend.md', file: 'backend_use.py', env: {} },
  { name: 'pycent', file: 'server_api.py', env: {} },
  { name: 'Authlib and PyJWT with Ed25519', file: 'oauth.py', env: {} },
  {
    name: 'Authlib and PyJWT with ES256',
    file: 'oauth.py',
    env: {},
    settings: { SIGNING_ALGORITHM: 'ES256' },
  },
]

for (const { name, file, env, settings } of programs) {
  t.test(name, { skip }, async (t) => {
    const site = await startSite(t, settings)
    const program = fileURLToPath(new URL(file, import.meta.url))
    const command = 'python' in prepared ? prepared.python : ''
    await runProgram(t, {
      command,
      args: [program],
      env: { ...site, ...env, PYTHONDONTWRITEBYTECODE: '1' },
    })
  })
}

for (const [document, file] of [
  ['docs/oauth.md', 'validator.py'],
  ['docs/backend.md', 'backend.py'],
] as const) {
  t.test(`${document} shows the code that is tested here: ${file}`, async (t) => {
    const page = await readFile(new URL(`../../../${document}`, import.meta.url), 'utf8')
    t.ok(page.includes(await readFile(new URL(file, import.meta.url), 'utf8')))
  })
}
