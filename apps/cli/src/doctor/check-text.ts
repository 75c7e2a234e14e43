import type { Output } from '../output/output.js'
import { printable } from '../output/printable.js'
import { padEnd, textWidth, wrapText } from '../output/text-width.js'
import type { Check, Verdict } from './check.js'

const verdictWidth = 'warning'.length
const nameWidth = 22
const gap = '  '
/** Text is at least this wide, also on a narrower terminal. */
const minTextWidth = 20

/**
 * Returns the result of a check and, below it, the advice, wrapped to `width`. The name column has a
 * fixed width, since results are printed before later names are known.
 */
export function checkText(
  { paint }: Output,
  { verdict, name, found, advice }: Check,
  width: number | undefined,
): string {
  const paints: Record<Verdict, (text: string) => string> = {
    ok: paint.green,
    warning: paint.yellow,
    failed: paint.red,
  }
  const left = padEnd(printable(name), nameWidth)
  const margin = verdictWidth + gap.length + textWidth(left) + gap.length
  const room =
    width === undefined ? Number.POSITIVE_INFINITY : Math.max(minTextWidth, width - margin)
  const lines = [
    ...wrapText(printable(found), room),
    ...wrapText(advice === undefined ? '' : `→ ${printable(advice)}`, room).map(paint.bold),
  ]
  const head = `${paints[verdict](verdict.padEnd(verdictWidth))}${gap}${left}${gap}`
  return `${head}${lines.join(`\n${' '.repeat(margin)}`)}`
}

/** Returns a summary: `14 ok, 1 warning, 1 failed`. */
export function checkCounts(checks: readonly Check[]): string {
  const count = (which: Verdict) => checks.filter(({ verdict }) => verdict === which).length
  const warnings = count('warning')
  return `${count('ok')} ok, ${warnings} warning${warnings === 1 ? '' : 's'}, ${count('failed')} failed`
}
