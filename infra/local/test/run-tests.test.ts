import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { tapFailures } from '../src/tap-failures.js'
import { type Counts, countTap } from '../src/test-results.js'

const runner = fileURLToPath(new URL('../dist/run-tests.js', import.meta.url))

interface Run {
  exitCode: number
  output: string
  counts: Counts
  failures: ReturnType<typeof tapFailures>
}

function runTests(workspace: string): Promise<Run> {
  const { TAP, TAP_CHILD_ID, ...env } = process.env
  return new Promise((resolve) => {
    execFile(
      // Under tap a child's NODE_OPTIONS load its hooks; `env` comes after.
      'env',
      ['NODE_OPTIONS=--trace-warnings', process.execPath, runner, 'test'],
      { cwd: workspace, env },
      (error, stdout, stderr) => {
        const results = read(join(workspace, '.test-results', 'results.tap'))
        resolve({
          exitCode: Number(error?.code ?? 0),
          output: stdout + stderr,
          counts: countTap(results),
          failures: tapFailures(results),
        })
      },
    )
  })
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const passing = `import t from 'tap'
import { answer } from '../../src/answer.js'
import { own } from '../fixtures/own.js'

interface Erased { never: true }
t.equal(answer satisfies number, 42, 'src is the built dist')
t.equal(import.meta.url, own.replace('fixtures/own.ts', 'deep/passing.test.ts'))
t.match(own, /test\\/fixtures\\/own\\.ts$/)
t.equal(process.env['NODE_OPTIONS'], '--trace-warnings', 'no hooks of tap')
`

const failing = `import t from 'tap'

interface Erased { never: true }
t.test('counts', async (t) => {
  t.equal(1 as number, 2, 'one is two')
})
`

t.test('compiled tests', async (t) => {
  const workspace = t.testdir({
    'package.json': '{ "type": "module" }',
    dist: { 'answer.js': 'export const answer = 42\n' },
    test: {
      deep: { 'passing.test.ts': passing },
      fixtures: { 'own.ts': 'export const own: string = import.meta.url\n' },
      'failing.test.ts': failing,
    },
  })

  const first = await runTests(workspace)
  t.equal(first.exitCode, 1)
  t.same(first.counts, { passed: 4, failed: 1 }, first.output)
  t.same(
    first.failures.map(({ path }) => path),
    [['test/failing.test.ts', 'counts', 'one is two']],
  )
  const details = first.failures.flatMap(({ details }) => details).join('\n')
  t.match(details, /fileName: test\/failing\.test\.ts\n\s*lineNumber: 5\n/, 'names the source line')
  t.match(first.output, 'test/failing.test.ts › counts › one is two')

  rmSync(join(workspace, 'test', 'failing.test.ts'))
  const second = await runTests(workspace)
  t.equal(second.exitCode, 0, 'a deleted test does not run')
  t.same(second.counts, { passed: 4, failed: 0 }, second.output)

  rmSync(join(workspace, 'test', 'fixtures', 'own.ts'))
  const third = await runTests(workspace)
  t.equal(third.exitCode, 1, 'a test that cannot be compiled fails the run')
  t.same(third.counts, { passed: 0, failed: 1 }, 'and leaves no earlier results')
  t.match(third.output, /test\/deep\/passing\.test\.ts:3:\d+: ERROR: Could not resolve/)
})
