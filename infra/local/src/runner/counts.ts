/** Numbers of assertions, without those of a subtest's own summary line, and without skipped and to-do ones. */
export interface Counts {
  passed: number
  failed: number
}

/** What one test file came to. */
export interface FileResult extends Counts {
  /** Relative to the workspace: `test/main.test.ts`. */
  file: string
  ms: number
  failures: readonly Failure[]
  /** What the test has said with `t.comment`. */
  comments: readonly string[]
  /** Why tests were skipped, each reason once. */
  skipped: readonly string[]
}

/** An assertion that failed: where it is, and what tap or a process says about it. */
export interface Failure {
  /** File, tests and assertion, outermost first. */
  path: readonly string[]
  details: readonly string[]
}

/** A result for a file that did not come to an end: one failed assertion. */
export function brokenFile(
  file: string,
  ms: number,
  reason: string,
  details: readonly string[],
): FileResult {
  const failure = { path: [file, reason], details }
  return { file, ms, passed: 0, failed: 1, failures: [failure], comments: [], skipped: [] }
}

/** Returns the sum of all. */
export function total(counts: Iterable<Counts>): Counts {
  const sum = { passed: 0, failed: 0 }
  for (const { passed, failed } of counts) {
    sum.passed += passed
    sum.failed += failed
  }
  return sum
}
