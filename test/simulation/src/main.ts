import { type MutantName, mutants } from './mutants.js'
import { type Options, parseOptions, UsageError, usage } from './options.js'
import { productionParts } from './parts.js'
import { type Played, play } from './play.js'
import { simulate } from './scenario/simulation.js'
import { replaceGlobals } from './world/globals.js'

/** How many failing seeds are listed. */
const maxListed = 20

try {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    print(usage)
  } else {
    process.exitCode = await run(options)
  }
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`simulate: ${error instanceof Error ? error.message : error}\n`)
  if (error instanceof UsageError) {
    process.stderr.write(`${usage}\n`)
  }
}

async function run({ first, seeds, mutant }: Options): Promise<number> {
  if (seeds === 1) {
    return (await printHistory(String(first), mutant)) ? 1 : 0
  }
  const started = performance.now()
  let shown = 0
  const played = await play({
    first,
    seeds,
    mutant,
    onSeed: () => {
      shown += 1
      if (process.stdout.isTTY && shown % 50 === 0) {
        process.stdout.write(`\r${shown} of ${seeds}`)
      }
    },
  })
  if (process.stdout.isTTY) {
    process.stdout.write('\r\u001b[K')
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  print(`${played.seeds} seeds in ${seconds} s, ${played.failures.length} broken`)
  print(countsOf(played))
  for (const { seed, broken = '' } of played.failures.slice(0, maxListed)) {
    print(`seed ${seed}: ${broken.split('\n')[0]}`)
  }
  const [worst] = played.failures
  if (worst === undefined) {
    return 0
  }
  print('')
  await printHistory(worst.seed, mutant)
  return 1
}

/** Plays one seed and prints its history. Returns true if an invariant is broken. */
async function printHistory(seed: string, mutant: MutantName | undefined): Promise<boolean> {
  replaceGlobals()
  const parts =
    mutant === undefined ? productionParts : { ...productionParts, ...mutants[mutant].parts }
  const { broken, history } = await simulate({ seed, parts, verbose: true })
  for (const line of history) {
    print(line)
  }
  print(
    broken === undefined
      ? `seed ${seed}: no invariant is broken`
      : `seed ${seed}: ${broken.message}`,
  )
  print(`npm run simulate -- --seed ${seed}${mutant === undefined ? '' : ` --mutant ${mutant}`}`)
  return broken !== undefined
}

function countsOf({ counts }: Played): string {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, count]) => `${what}: ${count}`)
    .join(' · ')
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
