import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import pc from 'picocolors'
import { LocalError } from './errors.js'
import { provideRedis } from './redis/provide-redis.js'
import type { Step } from './step.js'
import { stopSignals } from './stop-signals.js'
import { tapFailures } from './tap-failures.js'
import { type Counts, countRun, type TaskResult, total } from './test-results.js'
import { type TurboRun, turboRun } from './turbo-run.js'

/** How many failures are named once more at the end. */
const mostNamed = 10

const cores = availableParallelism()

/**
 * One step after the other. Each check keeps one core busy. A workspace's tests use all cores: its
 * runner takes as many files at once, and each file starts processes.
 */
const steps = [
  // `//#` marks a task of the checkout itself.
  { tasks: ['//#lint:code', 'typecheck'], maxTasks: cores },
  { tasks: ['test'], maxTasks: Math.ceil(cores / 2) },
]

/**
 * `npm test`: lint, type check and every test, against a Redis of its own. Settles with the exit
 * code; the last line printed is `N passed, N failed`.
 */
export async function main(args: readonly string[], step: Step): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-test-'))
  try {
    if (args.length > 0) {
      throw new LocalError('bad_arguments', 'npm test takes no arguments')
    }
    return await run(dir, step)
  } catch (error) {
    print(`${pc.red('cannot test:')} ${error instanceof Error ? error.message : error}`)
    if (error instanceof LocalError) {
      for (const line of error.details) {
        print(`  | ${line}`)
      }
    }
    print('0 passed, 1 failed')
    return 1
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function run(dir: string, step: Step): Promise<number> {
  const redis = await provideRedis({ dir, durable: false, step })
  const signals = stopSignals(() => process.exit(1))
  const env = {
    ...process.env,
    REDIS_URL: redis.url,
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    CI: process.env['CI'] ?? '1',
    TAP_JOBS: String(cores),
    // For a file, in seconds: two busy cores need longer than the default.
    TAP_TIMEOUT: '180',
  }
  let turbo: TurboRun | undefined
  let interrupted: string | undefined
  void signals.first.then((signal) => {
    interrupted = signal
    turbo?.stop()
  })
  print('  … lint, type check and tests')
  const started = Date.now()
  // A quarter of an hour without a word looks like a hang.
  const alive = setInterval(() => {
    print(`  … lint, type check and tests ${Math.round((Date.now() - started) / 1000)} s`)
  }, 30_000)
  try {
    const results: TaskResult[] = []
    for (const { tasks, maxTasks } of steps) {
      if (interrupted !== undefined) {
        break
      }
      turbo = turboRun(tasks, maxTasks, env)
      results.push(...(await turbo.tasks))
    }
    const failures = results.flatMap((result) => showFailures(result))
    const counts = countRun(results)
    return report(counts, failures, interrupted)
  } finally {
    clearInterval(alive)
    await redis.private?.stop()
    signals.release()
  }
}

/** Prints what failed in a workspace, in tap's words; gives the name of each failure. */
function showFailures({ id, task, dir, exitCode }: TaskResult): string[] {
  const file = join(dir, '.test-results', 'results.tap')
  if (task !== 'test' || exitCode === 0 || !existsSync(file)) {
    return []
  }
  const names = tapFailures(readFileSync(file, 'utf8')).map(({ path, details }) => {
    const name = `${id.split('#')[0]} ${path.join(' › ')}`
    print(`\n${pc.red('✗')} ${name}`)
    for (const line of details) {
      print(`    ${line}`)
    }
    return name
  })
  print('')
  return names
}

/**
 * Prints a line for each part, and the one that is counted on, last. Before it once more what failed:
 * of a long output people see the end, and a CI may keep no more than that.
 */
function report(
  counts: ReadonlyMap<string, Counts>,
  failures: readonly string[],
  signal: string | undefined,
): number {
  for (const [id, { passed, failed }] of [...counts].sort(([a], [b]) => a.localeCompare(b))) {
    const mark = failed === 0 ? pc.green('✓') : pc.red('✗')
    print(
      `  ${mark} ${id.replace('@portcullis/', '').replace('#', ' ')}: ${passed} passed, ${failed} failed`,
    )
  }
  for (const name of failures.slice(0, mostNamed)) {
    print(`  ${pc.red('✗')} ${name}`)
  }
  if (failures.length > mostNamed) {
    print(`  … and ${failures.length - mostNamed} more`)
  }
  if (signal !== undefined) {
    print(`  ${pc.red('✗')} interrupted by ${signal}`)
  }
  const { passed, failed } = total(counts.values())
  // Nothing counted is nothing shown to work.
  const broken = signal !== undefined || passed === 0 ? Math.max(failed, 1) : failed
  print(`\n${passed} passed, ${broken} failed`)
  return broken === 0 ? 0 : 1
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
