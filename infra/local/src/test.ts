import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { checkout } from './checkout.js'
import { LocalError } from './errors.js'
import { stopSignals } from './processes/stop-signals.js'
import { provideRedis } from './redis/provide-redis.js'
import { type CheckRun, checks, runCheck } from './runner/checks.js'
import { testEnvironment } from './runner/environment.js'
import { findTests } from './runner/find-tests.js'
import { planTests } from './runner/plan.js'
import { Progress } from './runner/progress.js'
import { type FileRun, runFiles } from './runner/run-files.js'
import { readTimes } from './runner/times.js'
import type { Step } from './step.js'

export const usage = `npm test [-- name…]
  name     a workspace (gate), a folder of tests or a file (gate/test/feed): its tests alone
  --long   the tests that only CI runs: Clusters, thousands of clients and seeds, a browser`

/** Test files at once. More would be quicker, but tests with timers fail on a crowded machine. */
const jobs = availableParallelism()

/** For a file: a busy machine needs longer than a quiet one. */
const timeoutMs = 180_000

/**
 * `npm test`: lint, type check and every test, against a Redis of its own. Resolves to the exit code;
 * the last line printed is `N passed, N failed`.
 */
export async function main(args: readonly string[], step: Step): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-test-'))
  try {
    const { names, long, help } = readOptions(args)
    if (help) {
      print(`${usage}\n`)
      return 0
    }
    return await run(dir, names, long, step)
  } catch (error) {
    print(`${pc.red('cannot test:')} ${error instanceof Error ? error.message : error}\n`)
    if (error instanceof LocalError) {
      for (const line of error.details) {
        print(`  | ${line}\n`)
      }
    }
    print('0 passed, 1 failed\n')
    return 1
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function readOptions(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        long: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    return { names: positionals, ...values }
  } catch (error) {
    const line = error instanceof Error ? (error.message.split(/\.? To specify/)[0] ?? '') : ''
    throw new LocalError('bad_arguments', `${line}; npm test -- --help lists the options`)
  }
}

async function run(
  dir: string,
  names: readonly string[],
  long: boolean,
  step: Step,
): Promise<number> {
  const times = readTimes(checkout)
  const files = findTests(checkout, names, long ? 'long' : 'short')
  const redis = await provideRedis({ dir, durable: false, step })
  const signals = stopSignals(() => process.exit(1))
  let stop: () => void = () => undefined
  let interrupted: string | undefined
  void signals.first.then((signal) => {
    interrupted = signal
    stop()
  })
  const progress = new Progress({
    tests: files,
    everyFile: names.length > 0,
    print,
    live: process.stdout.isTTY === true,
  })
  try {
    if (names.length === 0 && !long) {
      const runs: CheckRun[] = checks.map((check) => {
        progress.startCheck(check.name)
        return runCheck(check, checkout)
      })
      stop = () => {
        for (const check of runs) {
          check.stop()
        }
      }
      await Promise.all(runs.map(async ({ ended }) => progress.check(await ended)))
    }
    const tests = await planTests(checkout, files, times)
    const testing: FileRun = runFiles({
      root: checkout,
      tests: interrupted === undefined ? tests : [],
      jobs,
      env: testEnvironment(redis.url),
      timeoutMs,
      onStart: (test) => progress.start(test),
      onResult(test, result) {
        times.set(test, result.ms)
        progress.result(test, result)
      },
    })
    stop = () => testing.stop()
    await testing.ended
    times.save()
    return progress.end(interrupted) === 0 ? 0 : 1
  } finally {
    progress.stop()
    await redis.private?.stop()
    signals.release()
  }
}

function print(text: string): void {
  process.stdout.write(text)
}
