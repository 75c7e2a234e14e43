import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { MutantName } from './mutants.js'
import type { Report } from './worker.js'

export interface PlayOptions {
  first: number
  seeds: number
  mutant?: MutantName | undefined
  /** Stops after this many failures. Default: never. */
  maxFailures?: number
  /** Called after each seed. */
  onSeed?: (report: Report) => void
}

export interface Played {
  /** How many seeds have been played. */
  seeds: number
  failures: Report[]
  /** How often each kind of event happened. */
  counts: Map<string, number>
}

/** Plays many seeds on all processors. Each seed is independent of the others. */
export async function play({
  first,
  seeds,
  mutant = undefined,
  maxFailures = Number.POSITIVE_INFINITY,
  onSeed = () => undefined,
}: PlayOptions): Promise<Played> {
  const played: Played = { seeds: 0, failures: [], counts: new Map() }
  const workers = Math.min(seeds, availableParallelism())
  const ended = Array.from({ length: workers }, (_, at) => {
    const args = [first + at, workers, seeds - at, ...(mutant === undefined ? [] : [mutant])]
    const worker = fork(new URL('../dist/worker.js', import.meta.url), args.map(String), {
      // The worker is compiled; it needs no loader of the parent's.
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
      if (played.failures.length >= maxFailures) {
        worker.kill()
      }
    })
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject)
      worker.once('close', (code, signal) => {
        if (code === 0 || signal !== null) {
          resolve()
        } else {
          reject(new Error(`a worker exited with ${code}`))
        }
      })
    })
  })
  await Promise.all(ended)
  played.failures.sort((a, b) => Number(a.seed) - Number(b.seed))
  return played
}
