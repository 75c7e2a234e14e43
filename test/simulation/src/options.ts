import { parseArgs } from 'node:util'
import { isMutantName, type MutantName, mutants } from './mutants.js'

export interface Options {
  first: number
  seeds: number
  mutant: MutantName | undefined
  help: boolean
}

/** Invalid arguments; the message says what to change. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

export const usage = `usage: npm run simulate -- [options]

  --seeds N     play N seeds (1000)
  --seed S      start with seed S (1); without --seeds: play only S and print its history
  --mutant M    put a fault into production code; the simulation has to find it:
${Object.entries(mutants)
  .map(([name, { what }]) => `                ${name}: ${what}`)
  .join('\n')}`

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  let values: { seeds?: string; seed?: string; mutant?: string; help?: boolean }
  try {
    ;({ values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        mutant: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }))
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { seeds, seed, mutant, help = false } = values
  if (mutant !== undefined && !isMutantName(mutant)) {
    throw new UsageError(`--mutant ${mutant} does not exist; --help lists the mutants`)
  }
  return {
    first: seed === undefined ? 1 : whole('seed', seed),
    seeds: seeds === undefined ? (seed === undefined ? 1000 : 1) : whole('seeds', seeds),
    mutant,
    help,
  }
}

function whole(name: string, text: string): number {
  const value = Number(text)
  if (!/^[0-9]{1,9}$/.test(text) || value < 1) {
    throw new UsageError(`--${name} must be a whole number of at least 1, not ${text}`)
  }
  return value
}
