import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import t from 'tap'
import { exitCodes, exitCodesText } from '../src/errors.js'
import { program } from '../src/program.js'
import { shellOf } from './fixtures/run.js'

const text = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8')
const root = program(shellOf({ cwd: '/' }))

/** Commands without subcommands, by their whole name. */
function leaves(command: Command, name: string): Map<string, Command> {
  const inner = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help')
  if (inner.length === 0) {
    return new Map([[name, command]])
  }
  return new Map(inner.flatMap((one) => [...leaves(one, `${name} ${one.name()}`)]))
}
const commands = leaves(root, 'portcullis')

/** Sections of the page, by the command in their heading. */
const sections = new Map(
  text
    .split(/^(?=##)/m)
    .map((section) => [/^### `(portcullis [a-z ]+)`/.exec(section)?.[1] ?? '', section] as const)
    .filter(([name]) => name !== ''),
)

t.test('docs/cli.md documents every command with an example', async (t) => {
  t.same([...sections.keys()].toSorted(), [...commands.keys()].toSorted())
  for (const [name, section] of sections) {
    t.match(section, new RegExp(`^\\$ ${name}( .*)?\n[^\`]`, 'm'), `${name} has an example`)
  }
})

t.test('each option in docs/cli.md exists', async (t) => {
  for (const [name, section] of sections) {
    const command = commands.get(name)
    const help = command?.createHelp()
    const options = command
      ? [...(help?.visibleOptions(command) ?? []), ...(help?.visibleGlobalOptions(command) ?? [])]
      : []
    const known = new Set(options.map(({ long }) => long))
    for (const [option] of section.matchAll(/(?<=[ `])--[a-z][a-z-]*/g)) {
      t.ok(known.has(option), `${name} ${option}`)
    }
  }
})

t.test('docs/cli.md has the exit codes of --help', async (t) => {
  const table = [...text.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(
    ([, code, means]) => `${code} ${means}`,
  )
  t.equal(table.join('; '), exitCodesText)
  t.equal(table.length, Object.keys(exitCodes).length)
})
