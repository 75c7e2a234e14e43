import { standsStillAfter } from '../compare.js'
import type { Column } from '../figure.js'
import type { Conditions } from '../measure/machine.js'

/** Our figure divided by another side's, over the rounds. */
export interface Ratio {
  median: number
  min: number
  max: number
  /** The compared column, when it is not the first. */
  by?: string
}

export interface Row {
  name: string
  /** Medians by column key; a side omits figures that it does not have. */
  figures: Readonly<Record<string, number>>
  /** Omitted in the first row, which the others are compared with. */
  ratio?: Ratio
}

/** The result of one case. */
export interface CaseResult {
  name: string
  rows: readonly Row[]
  rounds: number
  /** Rounds before the measured ones, and the sides whose figures still moved after them. */
  warmUp: { rounds: number; moving: readonly string[] }
}

/** The result of a figure. */
export interface Result {
  name: string
  title: string
  columns: readonly Column[]
  cases: readonly CaseResult[]
  conditions: readonly string[]
  measured: Conditions
}

/** Returns how often the cases were measured, in sentences. */
export function describeRounds({ cases }: Pick<Result, 'cases'>): string {
  const rounds = rangeOf(cases.map((one) => one.rounds))
  const measured = `Median and range of ${rounds} alternating rounds; ratios are taken round by round.`
  const warmUps = cases.map(({ warmUp }) => warmUp.rounds)
  if (Math.max(...warmUps) === 0) {
    return `${measured} Each round starts new processes.`
  }
  if (Math.max(...warmUps) < standsStillAfter) {
    return `${measured} Before them ${rangeOf(warmUps)} rounds of warm-up.`
  }
  const moving = cases.flatMap(({ name, warmUp }) =>
    warmUp.moving.map((side) => (name === '' ? side : `${side} (${name})`)),
  )
  const end =
    moving.length === 0
      ? 'until the last three differed by less than a tenth'
      : `after which the last three still differed by more than a tenth for ${moving.join(', ')}`
  return `${measured} Before them ${rangeOf(warmUps)} rounds of warm-up, ${end}.`
}

function rangeOf(numbers: readonly number[]): string {
  const [min, max] = [Math.min(...numbers), Math.max(...numbers)]
  return min === max ? `${min}` : `${min} to ${max}`
}
