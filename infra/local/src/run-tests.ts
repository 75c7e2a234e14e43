import { createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { t } from 'tap'
import { compileTests } from './compile-tests.js'
import { tapFailures } from './tap-failures.js'

// The `test` script of a workspace: `run-tests.js test` runs every `*.test.ts` below `test/`, each
// in a process of its own, and writes `.test-results/results.tap`. TAP_JOBS is the number of files
// at once, TAP_TIMEOUT the seconds that a file may take.
//
// `tap` itself would add hooks for the module loader to each of these processes and to every
// process that they start: more CPU than most files need for their tests.

const resultsFile = join('.test-results', 'results.tap')

// A run that fails early must not leave the results of the one before.
rmSync(resultsFile, { force: true })

const sources = process.argv.slice(2).flatMap(testsBelow).sort()
if (sources.length === 0) {
  throw new Error('usage: run-tests.js <file or folder>…')
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // tap kills its children as this process exits.
  process.once(signal, () => process.exit(1))
}

const programs = await compileTests(process.cwd(), sources)

const seconds = Number(process.env['TAP_TIMEOUT'] ?? 120)
const jobs = Number(process.env['TAP_JOBS'] ?? availableParallelism())

mkdirSync('.test-results', { recursive: true })
const results = createWriteStream(resultsFile)
t.pipe(results)
t.register()
t.setTimeout(0)
t.buffered = false
t.jobs = Math.min(jobs, sources.length)
t.plan(sources.length)
for (const [source, program] of programs) {
  // tap's spawn sets NODE_OPTIONS to load its hooks; `env` restores the value from outside.
  const options = `NODE_OPTIONS=${process.env['NODE_OPTIONS'] ?? ''}`
  const args = [options, process.execPath, '--enable-source-maps', program]
  void t
    .spawn('env', args, {
      name: source,
      at: null,
      stack: '',
      buffered: t.jobs > 1,
      timeout: seconds * 1000,
      env: { ...process.env, TAP_TIMEOUT: `${seconds}` },
    })
    .then((result) => {
      print(`${result?.ok ? '✓' : '✗'} ${source} ${Math.round(result?.time ?? 0)} ms`)
    })
}
results.once('finish', () => {
  for (const { path, details } of tapFailures(readFileSync(resultsFile, 'utf8'))) {
    print(`\n✗ ${path.join(' › ')}`)
    for (const line of details) {
      print(`    ${line}`)
    }
  }
})

function testsBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) {
    return [path]
  }
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(path, file))
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
