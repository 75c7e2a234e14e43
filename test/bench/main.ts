import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { LocalError } from '@portcullis/local'
import { compare } from './compare.js'
import { figures } from './figures/index.js'
import { conditions, load } from './measure/machine.js'
import { type FigureName, type Options, parseOptions, UsageError, usage } from './options.js'
import { writeDocument } from './report/document.js'
import type { CaseResult, Result } from './report/result.js'
import { table } from './report/table.js'
import { Stage } from './stage.js'

/** Time limit of a figure, more than twice what any takes. */
const limitMs = 5 * 60_000

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

async function bench(options: Options): Promise<void> {
  print('Servers run on this machine beside their clients; only the servers are counted.')
  print('Compare ratios within one run, not times between machines.')
  if (options.quick) {
    print('--quick: only shows that everything runs; the figures mean little.')
  }
  print('')
  const results: Result[] = []
  for (const name of options.figures) {
    const result = await measure(name, options)
    print(`${table(result)}\n`)
    results.push(result)
  }
  await mkdir(dirname(options.out), { recursive: true })
  await writeFile(options.out, `${JSON.stringify(results, null, 2)}\n`)
  print(`figures: ${options.out}`)
  if (options.plots !== undefined) {
    await writeDocument(options.plots, results)
    print(`document: ${options.plots}.md`)
  }
}

async function measure(name: FigureName, options: Options): Promise<Result> {
  const stage = new Stage()
  const timer = setTimeout(
    () => stop(new Error(`${name} did not finish in ${limitMs / 60_000} minutes`)),
    limitMs,
  )
  try {
    const running = run(name, options, stage)
    // After a stop the figure fails because its servers have ended; that error means nothing.
    running.catch(() => undefined)
    return await Promise.race([running, stopped])
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${name} could not be measured: ${message}`, { cause: error })
  } finally {
    clearTimeout(timer)
    await stage.close()
    progress(name, '')
  }
}

async function run(name: FigureName, { quick, against }: Options, stage: Stage): Promise<Result> {
  const setting = {
    stage,
    quick,
    progress: (text: string) => progress(name, text),
    ...(against === undefined ? {} : { against }),
  }
  const measured = await conditions()
  setting.progress('starting the servers')
  const prepared = await figures[name](setting)
  const cases: CaseResult[] = []
  for (const one of prepared.cases) {
    cases.push(await compare(one, prepared, setting))
  }
  const { title, columns } = prepared
  return {
    name,
    title,
    columns,
    cases,
    conditions: [...prepared.conditions, ...(prepared.notes?.() ?? [])],
    measured: { ...measured, load: [...measured.load, load()] },
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
