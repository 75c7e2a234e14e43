import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { MutantName } from './mutants.js'
import type { Report } from './worker.js'

export interface PlayOptions {
  first: number
  seeds: number
  mutant?: MutantName | undefined
  /** Stops when so many have failed. Default: never. */
  enough?: number
  /** Is told of each seed. */
  onSeed?: (report: Report) => void
}

export interface Played {
  /** How many have been played. */
  seeds: number
  failures: Report[]
  /** How often each kind of thing has happened. */
  counts: Map<string, number>
}

/** Plays many seeds, on all processors; each seed by itself, so the order is of no account. */
export async function play({
  first,
  seeds,
  mutant = undefined,
  enough = Number.POSITIVE_INFINITY,
  onSeed = () => undefined,
}: PlayOptions): Promise<Played> {
  const played: Played = { seeds: 0, failures: [], counts: new Map() }
  const workers = Math.min(seeds, availableParallelism())
  const ended = Array.from({ length: workers }, (_, at) => {
    const args = [first + at, workers, seeds - at, ...(mutant === undefined ? [] : [mutant])]
    const worker = fork(new URL('../dist/worker.js', import.meta.url), args.map(String), {
      // What a loader of the parent compiles is compiled already.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    worker.on('message', (report: Report) => {
      played.seeds += 1
      onSeed(report)
      if (report.broken !== undefined) {
        played.failures.push(report)
      }
      for (const [what, count] of report.counts) {
        played.counts.set(what, (played.counts.get(what) ?? 0) + count)
      }
      if (played.failures.length >= enough) {
        worker.kill()
      }
    })
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('close', (code, signal) => {
        if (code === 0 || signal !== null) {
          resolve()
        } else {
          reject(new Error(`a worker has ended with ${code}`))
        }
      })
    })
  })
  await Promise.all(ended)
  played.failures.sort((a, b) => Number(a.seed) - Number(b.seed))
  return played
}
