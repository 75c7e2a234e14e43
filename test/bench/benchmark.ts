import type { Result } from './report/result.js'
import type { Stage } from './stage.js'

/** What a benchmark is given. */
export interface Setting {
  /** Everything that it starts goes here, and is stopped when it ends. */
  stage: Stage
  quick: boolean
  /** Says in a few words what happens now. */
  progress: (text: string) => void
}

/** Some find more than one thing out. */
export type Benchmark = (setting: Setting) => Promise<Result | readonly Result[]>
