import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

const runner = fileURLToPath(new URL('../../dist/run-tests.js', import.meta.url))

interface Run {
  exitCode: number
  output: string
  /** The last line. */
  counts: string
}

function runTests(workspace: string, env: NodeJS.ProcessEnv = {}): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [runner, 'test'],
      {
        cwd: workspace,
        env: {
          ...process.env,
          NODE_OPTIONS: '--trace-warnings',
          FORCE_COLOR: '1',
          TAP_TIMEOUT: '8',
          ...env,
        },
      },
      (error, stdout, stderr) => {
        const output = stdout + stderr
        const counts = output.trimEnd().split('\n').at(-1) ?? ''
        resolve({ exitCode: Number(error?.code ?? 0), output, counts })
      },
    )
  })
}

function workspaceOf(t: Test, tests: Record<string, string>): string {
  return t.testdir({ 'package.json': '{ "type": "module" }', test: tests })
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

t.test('runs compiled tests', async (t) => {
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
  t.equal(first.counts, '4 passed, 1 failed', first.output)
  t.match(
    first.output,
    /fileName: test\/failing\.test\.ts\n\s*lineNumber: 5\n/,
    'names the source line',
  )
  t.match(first.output, 'test/failing.test.ts › counts › one is two')
  t.equal(first.output.match(/^✗/gm)?.length, 1, 'shows one failure')

  rmSync(join(workspace, 'test', 'failing.test.ts'))
  const second = await runTests(workspace)
  t.equal(second.exitCode, 0, 'a deleted test does not run')
  t.equal(second.counts, '4 passed, 0 failed', second.output)

  rmSync(join(workspace, 'test', 'fixtures', 'own.ts'))
  const third = await runTests(workspace)
  t.equal(third.exitCode, 1, 'a test that cannot be compiled fails the run')
  t.notMatch(third.output, /^\d+ passed, /m, 'and counts no earlier results')
  t.match(third.output, /test\/deep\/passing\.test\.ts:3:\d+: ERROR: Could not resolve/)
})

t.test('counts what tests assert, not what they print', async (t) => {
  const { counts, output } = await runTests(
    workspaceOf(t, {
      'printing.test.ts': `import t from 'tap'
t.test('prints', async (t) => {
  console.log('# { total: 99, pass: 99 }')
  console.log('99 passed, 99 failed')
  t.comment('{ total: 98, pass: 98 }')
  t.pass('one')
  t.fail('later', { todo: true })
})
`,
    }),
  )
  t.equal(counts, '1 passed, 0 failed', output)
})

t.test('says once why a file skips tests', async (t) => {
  const { counts, output } = await runTests(
    workspaceOf(t, {
      'skipping.test.ts': `import t from 'tap'
t.pass('one')
for (const name of ['two', 'three']) {
  t.test(name, { skip: 'a program is not installed' }, async (t) => t.fail())
}
`,
    }),
  )
  t.equal(counts, '1 passed, 0 failed', output)
  const reasons = output.match(
    /test\/skipping\.test\.ts skips tests: a program is not installed$/gm,
  )
  t.equal(reasons?.length, 1, output)
})

t.test('counts a file that does not come to its end as failed', async (t) => {
  const { counts, output, exitCode } = await runTests(
    workspaceOf(t, {
      'a-exits.test.ts': `import t from 'tap'
t.pass('one')
process.stderr.write('the last words\\n')
process.exit(0)
`,
      'b-empty.test.ts': 'export {}\n',
      'c-throws.test.ts': `import t from 'tap'
t.pass('one')
throw new Error('outside of any test')
`,
      'd-hangs.test.ts': `import { createServer } from 'node:net'
import t from 'tap'
createServer().listen(0)
t.pass('one')
`,
      'e-waits.test.ts': `import t from 'tap'
t.setTimeout(100)
t.test('never ends', () => new Promise(() => setInterval(() => {}, 1000)))
`,
      'f-fine.test.ts': `import t from 'tap'
t.pass('one')
`,
    }),
  )
  t.equal(exitCode, 1)
  t.match(
    output,
    /✗ .*a-exits\.test\.ts › the process ended early: exit code 0\n +the last words\n/,
  )
  t.match(output, /✗ .*b-empty\.test\.ts › has no assertion\n/)
  t.match(output, /✗ .*c-throws\.test\.ts › outside of any test\n/)
  t.match(output, /✗ .*d-hangs\.test\.ts › its process does not end\n/)
  t.match(output, /✗ .*e-waits\.test\.ts › .*timeout!\n/)
  t.match(output, /✓ .*f-fine\.test\.ts: 1 passed, 0 failed/, 'and the others still run')
  t.match(counts, /^3 passed, \d failed$/)
})

t.test('shares a process among files that leave nothing behind', async (t) => {
  const name = () => `import { appendFileSync } from 'node:fs'
import t from 'tap'
appendFileSync('pids', process.pid + '\\n')
t.pass('one')
`
  const workspace = workspaceOf(t, { 'a.test.ts': name(), 'b.test.ts': name() })
  const { counts, output } = await runTests(workspace, { TAP_JOBS: '1' })
  t.equal(counts, '2 passed, 0 failed', output)
  const pids = readFileSync(join(workspace, 'pids'), 'utf8').trim().split('\n')
  t.equal(pids.length, 2)
  t.equal(pids[0], pids[1])
})

t.test('starts a new process after a file that leaves something behind', async (t) => {
  const leaving = `import t from 'tap'
t.equal(process.env['LEFT'], undefined)
Object.assign(process.env, { LEFT: '1' })
`
  const { counts, output } = await runTests(
    workspaceOf(t, { 'a.test.ts': leaving, 'b.test.ts': leaving }),
    { TAP_JOBS: '1' },
  )
  t.equal(counts, '2 passed, 0 failed', output)
})
