import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LocalError } from '@portcullis/local'
import { admissions } from './admissions.js'
import type { Benchmark } from './benchmark.js'
import { fanout } from './fanout.js'
import { guarantee } from './guarantee.js'
import { inventory } from './inventory.js'
import { machine } from './measure/machine.js'
import { memory } from './memory.js'
import { type BenchmarkName, type Options, parseOptions, UsageError, usage } from './options.js'
import type { Result } from './report/result.js'
import { table } from './report/table.js'
import { revocation } from './revocation.js'
import { scale } from './scale.js'
import { Stage } from './stage.js'

const benchmarks: Readonly<Record<BenchmarkName, Benchmark>> = {
  admissions,
  fanout,
  memory,
  revocation,
  guarantee,
  scale,
  inventory,
}

/** Time limit of a benchmark, more than twice what any takes. */
const limitMs = 20 * 60_000

/** Ends the run after a failure or a signal, with the shell's exit code for it. */
let stop: (reason: Error) => void = () => undefined
const stopped = new Promise<never>((_, reject) => {
  stop = reject
})
stopped.catch(() => undefined)

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => {
    process.exitCode = exitCode
    stop(new Error('interrupted'))
  })
}

try {
  await bench(parseOptions(process.argv.slice(2)))
} catch (error) {
  process.exitCode ??= 1
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`bench: ${message}\n`)
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof LocalError) {
    process.stderr.write(`${cause.details.join('\n')}\n`)
  }
  if (error instanceof UsageError) {
    process.stderr.write(`${usage}\n`)
  }
}

async function bench({ only, quick, out }: Options): Promise<void> {
  const conditions = machine()
  const { node, system, cpu, cores, memoryGiB } = conditions
  print(`Portcullis benchmark: Node ${node}, ${system}, ${cpu}, ${cores} cores, ${memoryGiB} GiB`)
  print('Servers run on this machine beside their clients; only the servers are counted.')
  print('Compare ratios within one run, not times between machines.')
  if (quick) {
    print('--quick: only shows that everything runs; the figures mean little.')
  }
  print('')

  const results: Result[] = []
  for (const name of only) {
    for (const result of await runOne(name, quick)) {
      print(`${table(result)}\n`)
      results.push(result)
    }
  }
  await mkdir(dirname(out), { recursive: true })
  const report = { at: new Date().toISOString(), quick, machine: conditions, results }
  await writeFile(out, `${JSON.stringify(report, null, 2)}\n`)
  print(`figures: ${out}`)
}

async function runOne(name: BenchmarkName, quick: boolean): Promise<readonly Result[]> {
  const stage = new Stage()
  const timer = setTimeout(
    () => stop(new Error(`${name} did not finish in ${limitMs / 60_000} minutes`)),
    limitMs,
  )
  try {
    const running = benchmarks[name]({ stage, quick, progress: (text) => progress(name, text) })
    // After a stop the benchmark fails because its servers have ended; that error means nothing.
    running.catch(() => undefined)
    return [await Promise.race([running, stopped])].flat()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${name}: ${message}`, { cause: error })
  } finally {
    clearTimeout(timer)
    await stage.close()
    progress(name, '')
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Shows progress: one changing line on a terminal, separate lines in a log. */
function progress(name: string, text: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${text === '' ? '' : `${name}: ${text}`}`)
  } else if (text !== '') {
    process.stderr.write(`${name}: ${text}\n`)
  }
}
