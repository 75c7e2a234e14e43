import type { Result } from './report/result.js'
import type { Stage } from './stage.js'

/** What a benchmark gets. */
export interface Setting {
  /** Stops everything that the benchmark starts. */
  stage: Stage
  quick: boolean
  /** Shows what happens now, in a few words. */
  progress: (text: string) => void
}

/** Runs a benchmark, which may have several results. */
export type Benchmark = (setting: Setting) => Promise<Result | readonly Result[]>
