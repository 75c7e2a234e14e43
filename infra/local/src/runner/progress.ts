import pc from 'picocolors'
import type { CheckResult } from './checks.js'
import type { Counts, Failure, FileResult } from './counts.js'
import type { TestFile } from './find-tests.js'

/** How many failures are named once more at the end. */
const maxNamed = 10

/** A CI log without a line for long looks like a hang. */
const quietMs = 15_000
const liveMs = 200

export interface ProgressOptions {
  tests: readonly TestFile[]
  /** True to print a line for each file, not for each workspace. */
  everyFile: boolean
  print: (text: string) => void
  /** True if a line can be replaced: a terminal. */
  live: boolean
}

/** Shows how far a run of tests is, and each failure at once. */
export class Progress {
  readonly #options: ProgressOptions
  readonly #started = performance.now()
  /** Files that are left, by workspace. */
  readonly #left = new Map<string, number>()
  readonly #counts = new Map<string, Counts & { ms: number }>()
  readonly #running = new Set<string>()
  readonly #failures: string[] = []
  readonly #timer: NodeJS.Timeout
  #done = 0
  #failedChecks = 0

  constructor(options: ProgressOptions) {
    this.#options = options
    for (const { workspace } of options.tests) {
      this.#left.set(workspace, (this.#left.get(workspace) ?? 0) + 1)
    }
    this.#timer = setInterval(() => this.#showState(), options.live ? liveMs : quietMs)
  }

  check({ name, passed, output, ms }: CheckResult): void {
    this.#running.delete(name)
    if (!passed) {
      this.#failedChecks += 1
      this.#failures.push(name)
      this.#print(`\n${output.trimEnd()}\n`)
    }
    this.#print(`  ${mark(passed)} ${name} ${seconds(ms)}`)
  }

  startCheck(name: string): void {
    this.#running.add(name)
  }

  start({ workspace, file }: TestFile): void {
    this.#running.add(`${workspace}/${file}`)
  }

  result(test: TestFile, { passed, failed, ms, failures, comments, skipped }: FileResult): void {
    const { workspace } = test
    this.#running.delete(`${workspace}/${test.file}`)
    this.#done += 1
    const sum = this.#counts.get(workspace) ?? { passed: 0, failed: 0, ms: 0 }
    this.#counts.set(workspace, {
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      ms: sum.ms + ms,
    })
    for (const failure of failures) {
      this.#showFailure(workspace, failure)
    }
    if (this.#options.everyFile) {
      this.#print(
        `  ${mark(failed === 0)} ${workspace}/${test.file}: ${words({ passed, failed })} ${seconds(ms)}`,
      )
      for (const comment of comments) {
        this.#print(`      ${comment}`)
      }
    }
    for (const reason of skipped) {
      this.#print(`  - ${workspace}/${test.file} skips tests: ${reason}`)
    }
    const left = (this.#left.get(workspace) ?? 1) - 1
    this.#left.set(workspace, left)
    if (left === 0 && !this.#options.everyFile) {
      this.#showWorkspace(workspace)
    }
  }

  /**
   * Prints the failures once more, for people who see only the end of a long output, and the line that
   * counts: `N passed, N failed`. Returns the number of failures.
   */
  end(interrupted: string | undefined): number {
    this.stop()
    for (const name of this.#failures.slice(0, maxNamed)) {
      this.#print(`  ${pc.red('✗')} ${name}`)
    }
    if (this.#failures.length > maxNamed) {
      this.#print(`  … and ${this.#failures.length - maxNamed} more`)
    }
    if (interrupted !== undefined) {
      this.#print(`  ${pc.red('✗')} interrupted by ${interrupted}`)
    }
    const { passed, failed } = this.#total()
    // A run that counts nothing has shown nothing.
    const broken = interrupted !== undefined || passed === 0 ? Math.max(failed, 1) : failed
    this.#print(`\n${passed} passed, ${broken} failed`)
    return broken
  }

  /** Shows nothing more by itself. */
  stop(): void {
    clearInterval(this.#timer)
  }

  #total(): Counts {
    const sum = { passed: 0, failed: this.#failedChecks }
    for (const { passed, failed } of this.#counts.values()) {
      sum.passed += passed
      sum.failed += failed
    }
    return sum
  }

  #showFailure(workspace: string, { path, details }: Failure): void {
    const [file, ...rest] = path
    const name = [`${workspace}/${file}`, ...rest].join(' › ')
    this.#failures.push(name)
    this.#print(`\n${pc.red('✗')} ${name}`)
    for (const line of details) {
      this.#print(`    ${line}`)
    }
    this.#print('')
  }

  #showWorkspace(workspace: string): void {
    const counts = this.#counts.get(workspace)
    if (counts !== undefined) {
      this.#print(`  ${mark(counts.failed === 0)} ${workspace}: ${words(counts)}`)
    }
  }

  #showState(): void {
    const { passed, failed } = this.#total()
    const { live, tests, print } = this.#options
    const running = [...this.#running].join(', ')
    const files = `${this.#done} of ${tests.length} files`
    const line = `  … ${files}, ${words({ passed, failed })} ${seconds(performance.now() - this.#started)}`
    if (live) {
      const columns = process.stdout.columns || 80
      print(`\r\u001b[K${`${line} (${running})`.slice(0, columns - 1)}`)
    } else {
      print(`${line} (${running})\n`)
    }
  }

  #print(text: string): void {
    this.#options.print(`${this.#options.live ? '\r\u001b[K' : ''}${text}\n`)
  }
}

function mark(good: boolean): string {
  return good ? pc.green('✓') : pc.red('✗')
}

function words({ passed, failed }: Counts): string {
  return `${passed} passed, ${failed} failed`
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`
}
