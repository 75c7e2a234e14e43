import { readFileSync } from 'node:fs'
import type { TestFile } from './find-tests.js'

/** A compiled test file. */
export interface PlannedTest extends TestFile {
  /** Absolute path of the compiled file. */
  program: string
  /** False if the file needs a process of its own. */
  shares: boolean
  /** What it took the last time, or an estimate. */
  ms: number
}

/**
 * What a file may do to its process that the next one would feel. The simulation replaces clocks and
 * timers.
 */
const touchesProcess =
  /\bprocess\.(?:on|once|exit|chdir|memoryUsage|env(?:\.\w+|\["\w+"\])\s*=[^=])|\bdelete process\.env\b|\bglobalThis\.|simulation\/dist\//

/** Returns true if the compiled file can share its process with others. */
export function canShare(program: string): boolean {
  return !touchesProcess.test(readFileSync(program, 'utf8'))
}

/**
 * Hands out tests, long ones first. Of tests that share a process, one of the workspace whose process
 * a worker has already; so few processes start.
 */
export class TestQueue {
  readonly #alone: PlannedTest[]
  readonly #shared = new Map<string, PlannedTest[]>()

  constructor(tests: readonly PlannedTest[]) {
    const ordered = [...tests].sort((a, b) => b.ms - a.ms)
    this.#alone = ordered.filter(({ shares }) => !shares)
    for (const test of ordered.filter(({ shares }) => shares)) {
      const others = this.#shared.get(test.workspace) ?? []
      this.#shared.set(test.workspace, [...others, test])
    }
  }

  /**
   * Returns the next test, undefined when all are taken.
   *
   * @param workspace of the process that the worker has
   * @param prefers which tests this worker takes while there are such
   */
  next(workspace: string | undefined, prefers: 'shared' | 'alone'): PlannedTest | undefined {
    const shared = () => this.#nextShared(workspace)
    const alone = () => this.#alone.shift()
    return prefers === 'shared' ? (shared() ?? alone()) : (alone() ?? shared())
  }

  #nextShared(workspace: string | undefined): PlannedTest | undefined {
    const own = workspace === undefined ? undefined : this.#shared.get(workspace)
    return (own?.length ? own : this.#largest())?.shift()
  }

  #largest(): PlannedTest[] | undefined {
    const sum = (tests: readonly PlannedTest[]) => tests.reduce((ms, test) => ms + test.ms, 0)
    return [...this.#shared.values()]
      .filter((tests) => tests.length > 0)
      .sort((a, b) => sum(b) - sum(a))[0]
  }
}
