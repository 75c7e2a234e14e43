import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, relative } from 'node:path'
import { testEnvironment } from './runner/environment.js'
import { testsBelow } from './runner/find-tests.js'
import { planTests } from './runner/plan.js'
import { Progress } from './runner/progress.js'
import { runFiles } from './runner/run-files.js'

// `run-tests.js <file or folder>…`, in the folder of a workspace: runs test files with what is built and
// with REDIS_URL, and nothing else. TAP_JOBS is the number of files at once, TAP_TIMEOUT the seconds that a
// file may take, TAP_BAIL=1 ends a file with its first failure.

const folder = process.cwd()
const [root, workspace] = [dirname(folder), basename(folder)]
const files = process.argv
  .slice(2)
  .flatMap((path) =>
    statSync(path).isDirectory() ? testsBelow(folder, path) : [relative(folder, path)],
  )
if (files.length === 0) {
  throw new Error('usage: run-tests.js <file or folder>…')
}

const tests = await planTests(
  root,
  files.sort().map((file) => ({ workspace, file })),
  undefined,
)
const progress = new Progress({
  tests,
  everyFile: true,
  print: (text) => process.stdout.write(text),
  live: false,
})
const run = runFiles({
  root,
  tests,
  jobs: Number(process.env['TAP_JOBS'] ?? availableParallelism()),
  env: testEnvironment(process.env['REDIS_URL']),
  timeoutMs: Number(process.env['TAP_TIMEOUT'] ?? 120) * 1000,
  onStart: (test) => progress.start(test),
  onResult: (test, result) => progress.result(test, result),
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    run.stop()
    process.exit(1)
  })
}
await run.ended
process.exitCode = progress.end(undefined) === 0 ? 0 : 1
