import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const root = new URL('../../', import.meta.url)

t.test("the README's configuration table is what the schemas say", async (t) => {
  const checked = promisify(execFile)(process.execPath, ['infra/docs/config-table.js', '--check'], {
    cwd: root,
  })
  await t.resolves(checked, 'run npm run docs')
})
