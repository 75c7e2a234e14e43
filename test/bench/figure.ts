import type { Against } from './options.js'
import type { Stage } from './stage.js'

/** What a figure gets. */
export interface Setting {
  /** Stops everything that the figure starts. */
  stage: Stage
  /** Small counts: shows that everything runs; the figures mean little. */
  quick: boolean
  /** Shows what happens now, in a few words. */
  progress: (text: string) => void
  /** Another server that the user wants to compare. */
  against?: Against
}

/** Numbers of one round of one side, by column key; per unit where the column says so. */
export type Sample = Readonly<Record<string, number>>

/** One of the compared servers, or sizes; `run` measures it once. */
export interface Side {
  name: string
  run(): Promise<Sample>
}

/** A column of numbers: key in samples, title in the table. */
export interface Column {
  key: string
  title: string
  digits: number
}

/** One comparison: the first side against each of the others. */
export interface Case {
  /** Empty if the figure has only one case. */
  name: string
  sides: readonly Side[]
}

/** What a figure has prepared: servers run, and its cases can be measured. */
export interface Prepared {
  /** What is measured, and its unit. */
  title: string
  /** The first column is compared. A side without it is compared by `time`. */
  columns: readonly Column[]
  cases: readonly Case[]
  /** Measured rounds after the warm-up. */
  rounds: number
  /** Rounds after which the warm-up ends in any case; 0 where each round starts new processes. */
  warmUp: number
  /** Sizes and pacing: everything needed to measure the same again. */
  conditions: readonly string[]
  /** What was seen besides the columns; asked when all rounds are over. */
  notes?(): readonly string[]
}

/** A named part of the benchmark. Starts what it needs. */
export type Figure = (setting: Setting) => Promise<Prepared>
