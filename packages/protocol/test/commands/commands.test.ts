import { readFileSync } from 'node:fs'
import t from 'tap'
import { checks } from '../../src/commands/commands.js'

const document = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8')

const section = document.split('\n## Commands\n')[1]?.split('\n## ', 1)[0] ?? ''
/** The fields of each method in PROTOCOL.md's table of commands. */
const listed = new Map(
  [...section.matchAll(/^\| `(\w+)` +\| ([^|]*)\|/gm)].map(([, method = '', fields = '']) => [
    method,
    fields,
  ]),
)

t.test('PROTOCOL.md lists exactly the commands of the schemas', async (t) => {
  t.same([...listed.keys()].sort(), Object.keys(checks).sort())
})

t.test('the schemas have the fields of PROTOCOL.md, with the same optional ones', async (t) => {
  for (const [method, check] of Object.entries(checks)) {
    const schema = check.Schema()
    const required: readonly string[] = schema.required ?? []
    // Remarks in parentheses name other things.
    const fields = (listed.get(method) ?? '').replaceAll(/\([^)]*\)/g, '').matchAll(/`(\w+)(\??)`/g)
    const names: string[] = []
    for (const [, field = '', mark] of fields) {
      if (field === 'id') {
        continue
      }
      names.push(field)
      t.ok(field in schema.properties, `${method} reads ${field}`)
      t.equal(required.includes(field), mark === '', `${field} of ${method} is optional, or not`)
    }
    for (const field of required) {
      t.ok(names.includes(field), `${field} of ${method} is listed`)
    }
  }
})
