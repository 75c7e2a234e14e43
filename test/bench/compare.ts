import type { Case, Prepared, Sample, Setting, Side } from './figure.js'
import { median } from './measure/statistics.js'
import type { CaseResult, Ratio, Row } from './report/result.js'

/** The warm-up ends when the last rounds of every side, so many, differ by no more than a tenth. */
export const standsStillAfter = 3
const stillShare = 0.1
const warmUpLimitMs = 25_000

/**
 * Measures a case: warms up until its figures stand still, then measures all sides in turn, so that other
 * load on the machine affects all alike. Each round begins with another side.
 *
 * @throws Error when there is nothing to compare with
 */
export async function compare(
  { name, sides }: Case,
  found: Prepared,
  { quick, progress }: Pick<Setting, 'quick' | 'progress'>,
): Promise<CaseResult> {
  if (sides.length < 2) {
    throw new Error(`${labelOf(name)}nothing to compare with, and a figure alone says nothing`)
  }
  const compared = found.columns[0]?.key ?? ''
  const rounds = quick ? 1 : found.rounds
  const limit = quick ? Math.min(1, found.warmUp) : found.warmUp
  const warmUp = await warm({ name, sides }, compared, limit, progress)
  const samples = new Map<string, Sample[]>(sides.map((side) => [side.name, []]))
  for (let round = 1; round <= rounds; round += 1) {
    for (const side of inTurn(sides, round)) {
      progress(`${labelOf(name)}round ${round} of ${rounds}: ${side.name}`)
      samples.get(side.name)?.push(await side.run())
    }
  }
  return { name, rows: rowsOf(found.columns, samples), rounds, warmUp }
}

function labelOf(name: string): string {
  return name === '' ? '' : `${name}, `
}

function inTurn(sides: readonly Side[], round: number): readonly Side[] {
  const first = round % sides.length
  return [...sides.slice(first), ...sides.slice(0, first)]
}

/** Returns the number of warm-up rounds, and the sides that did not stand still within the limit. */
async function warm(
  { name, sides }: Case,
  compared: string,
  limit: number,
  progress: (text: string) => void,
): Promise<CaseResult['warmUp']> {
  const seen = new Map<string, number[]>(sides.map((side) => [side.name, []]))
  const moving = () =>
    sides.filter((side) => !standsStill(seen.get(side.name) ?? [])).map((side) => side.name)
  const start = performance.now()
  let round = 0
  while (moving().length > 0 && round < limit && performance.now() - start < warmUpLimitMs) {
    round += 1
    for (const side of inTurn(sides, round)) {
      progress(`${labelOf(name)}warm-up ${round}: ${side.name}`)
      const sample = await side.run()
      seen.get(side.name)?.push(sample[compared] ?? sample['time'] ?? Number.NaN)
    }
  }
  return { rounds: round, moving: round === 0 ? [] : moving() }
}

/** Returns true if the last figures differ by no more than a tenth of their median. */
export function standsStill(figures: readonly number[]): boolean {
  const last = figures.slice(-standsStillAfter)
  return (
    last.length === standsStillAfter &&
    Math.max(...last) - Math.min(...last) <= stillShare * median(last)
  )
}

function rowsOf(columns: Prepared['columns'], samples: ReadonlyMap<string, Sample[]>): Row[] {
  const compared = columns[0]?.key ?? ''
  const [ours = []] = samples.values()
  return [...samples].map(([name, theirs], index) => {
    const figures: Record<string, number> = {}
    for (const { key } of columns) {
      const values = theirs.flatMap((sample) => sample[key] ?? [])
      if (values.length > 0) {
        figures[key] = median(values)
      }
    }
    if (index === 0) {
      return { name, figures }
    }
    const key = theirs.every((sample) => compared in sample) ? compared : 'time'
    return { name, figures, ratio: ratioOf(ours, theirs, key, compared) }
  })
}

/** Returns the median and the range of our figure divided by theirs, round by round. */
function ratioOf(
  ours: readonly Sample[],
  theirs: readonly Sample[],
  key: string,
  compared: string,
): Ratio {
  const ratios = theirs.map(
    (sample, round) => (ours[round]?.[key] ?? Number.NaN) / (sample[key] ?? Number.NaN),
  )
  if (ratios.some((ratio) => !Number.isFinite(ratio))) {
    throw new Error(`a round has no ${key} to compare`)
  }
  return {
    median: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    ...(key === compared ? {} : { by: key }),
  }
}
