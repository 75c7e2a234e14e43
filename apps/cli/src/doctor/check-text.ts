import type { Output } from '../output/output.js'
import { printable } from '../output/printable.js'
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
  const left = printable(name).padEnd(nameWidth)
  const margin = verdictWidth + gap.length + left.length + gap.length
  const room =
    width === undefined ? Number.POSITIVE_INFINITY : Math.max(minTextWidth, width - margin)
  const lines = [
    ...wrapped(printable(found), room),
    ...wrapped(advice === undefined ? '' : `→ ${printable(advice)}`, room).map(paint.bold),
  ]
  const head = `${paints[verdict](verdict.padEnd(verdictWidth))}${gap}${left}${gap}`
  return `${head}${lines.join(`\n${' '.repeat(margin)}`)}`
}

/** Wraps text between words; a longer word, such as a path to copy, stays whole. */
function wrapped(text: string, room: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= room) {
      lines.push(`${lines.pop()} ${word}`)
    } else if (word !== '') {
      lines.push(word)
    }
  }
  return lines
}

/** Returns a summary: `14 ok, 1 warning, 1 failed`. */
export function checkCounts(checks: readonly Check[]): string {
  const count = (which: Verdict) => checks.filter(({ verdict }) => verdict === which).length
  const warnings = count('warning')
  return `${count('ok')} ok, ${warnings} warning${warnings === 1 ? '' : 's'}, ${count('failed')} failed`
}
