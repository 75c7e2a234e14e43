import { existsSync, readFileSync } from 'node:fs'

export interface Counts {
  passed: number
  failed: number
}

/**
 * What one workspace's tests came to, from the TAP that tap wrote. Counted are assertions, the
 * innermost ones; a test file that crashed, timed out or ended early counts as one failed, and so
 * does a run that has left no complete result. Skipped and to-do assertions count as nothing.
 */
export function countTap(tap: string): Counts {
  // tap's own count is its last line but one; a test's output can only print like it indented.
  const last = [...tap.matchAll(/^# \{ total: \d+(?:, \w+: \d+)* \}$/gm)].at(-1)?.[0]
  if (last === undefined) {
    return { passed: 0, failed: 1 }
  }
  const number = (name: string) => Number(new RegExp(` ${name}: (\\d+)`).exec(last)?.[1] ?? 0)
  return { passed: number('pass'), failed: number('fail') }
}

/** A task of a turbo run, as `--summarize` writes it. */
export interface TaskResult {
  /** `@portcullis/auth#test` */
  id: string
  /** `test` */
  task: string
  /** Absolute path of its workspace. */
  dir: string
  /** Undefined when it never ran, because one that it needs had failed. */
  exitCode: number | undefined
}

/** Adds up a run: each `test` task by its results, each other task that failed as one failed. */
export function countRun(tasks: readonly TaskResult[]): Map<string, Counts> {
  const counts = new Map<string, Counts>()
  for (const { id, task, dir, exitCode } of tasks) {
    if (task !== 'test') {
      if (exitCode !== 0) {
        counts.set(id, { passed: 0, failed: 1 })
      }
      continue
    }
    const file = `${dir}/.test-results/results.tap`
    const { passed, failed } =
      exitCode !== undefined && existsSync(file)
        ? countTap(readFileSync(file, 'utf8'))
        : { passed: 0, failed: 1 }
    // tap may fail for another reason than an assertion, as a file that it could not load.
    counts.set(id, { passed, failed: exitCode === 0 ? failed : Math.max(failed, 1) })
  }
  return counts
}

/** Sums of all. */
export function total(counts: Iterable<Counts>): Counts {
  const sum = { passed: 0, failed: 0 }
  for (const { passed, failed } of counts) {
    sum.passed += passed
    sum.failed += failed
  }
  return sum
}
