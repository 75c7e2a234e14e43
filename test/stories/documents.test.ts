import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import t from 'tap'
import { describeMutations, mutations } from '../mutants/mutations.js'
import { mutate } from '../mutants/run-mutation.js'

const root = new URL('../../', import.meta.url)

const generated = [
  ["the README's configuration table matches the schemas", 'infra/docs/config-table.js'],
  ["the tables of docs/metrics.md match the services' metrics", 'infra/docs/metrics-table.js'],
  ["the chart's settings match the schemas", 'infra/docs/chart-settings.js'],
] as const
for (const [name, program] of generated) {
  t.test(name, async (t) => {
    const checked = promisify(execFile)(process.execPath, [program, '--check'], { cwd: root })
    await t.resolves(checked, 'run npm run docs')
  })
}

t.test(
  'each guard that `npm run mutants` removes exists, and docs/guarantee.md lists it',
  async (t) => {
    for (const mutation of mutations) {
      const source = await readFile(new URL(mutation.file, root), 'utf8')
      const mutated = mutate(source, mutation)
      t.not(mutated, source)
      if (mutation.file.endsWith('.ts')) {
        await t.resolves(transform(mutated, { loader: 'ts' }), `compiles: ${mutation.name}`)
      }
      await t.resolves(readFile(new URL(mutation.test, root)), mutation.name)
    }
    t.equal(new Set(mutations.map(({ name }) => name)).size, mutations.length, 'names are unique')
    const guarantee = await readFile(new URL('docs/guarantee.md', root), 'utf8')
    t.ok(guarantee.includes(`\n\n${describeMutations()}\n\n`), describeMutations())
  },
)
