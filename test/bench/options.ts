import { parseArgs } from 'node:util'

export const benchmarkNames = [
  'admissions',
  'fanout',
  'memory',
  'revocation',
  'guarantee',
  'scale',
  'inventory',
] as const
export type BenchmarkName = (typeof benchmarkNames)[number]

export interface Options {
  only: readonly BenchmarkName[]
  /** Small counts: shows that everything runs; the figures mean little. */
  quick: boolean
  /** JSON file for the figures. */
  out: string
}

export const usage = `usage: npm run bench -- [--only ${benchmarkNames.join(',')}] [--quick] [--out FILE]`

/** Invalid arguments; the message says what to change. */
export class UsageError extends Error {
  readonly code = 'USAGE'
}

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const { only, quick, out } = read(args)
  return { only: only === undefined ? benchmarkNames : names(only), quick, out }
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        out: { type: 'string', default: '.portcullis/bench.json' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function names(text: string): BenchmarkName[] {
  return text.split(',').map((part) => {
    const name = benchmarkNames.find((known) => known === part.trim())
    if (name === undefined) {
      throw new UsageError(`unknown benchmark "${part}"; choose ${benchmarkNames.join(', ')}`)
    }
    return name
  })
}
