import Table from 'cli-table3'
import { printable } from './printable.js'

export interface Column<Row> {
  head: string
  value: (row: Row) => string
  /** Never cut, however narrow the terminal: text to copy, such as an id. */
  whole?: boolean
  right?: boolean
  paint?: (text: string) => string
}

const gap = 2
const minColumnWidth = 6

/**
 * Returns rows under a head, without frames. When the terminal is too narrow the widest columns are
 * cut first, with an ellipsis. Without `width` (no terminal) nothing is cut.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, head }: { width: number | undefined; head: (text: string) => string },
): string {
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row))))
  const natural = columns.map((column, index) =>
    Math.max(column.head.length, ...cells.map((row) => [...(row[index] ?? '')].length)),
  )
  const widths = width === undefined ? natural : fit(natural, columns, width)
  const drawn = new Table({
    chars: frameless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap },
    colWidths: widths.map((size) => size + gap),
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    head: columns.map((column) => head(column.head)),
  })
  for (const row of cells) {
    drawn.push(
      row.map((text, index) => {
        const shown = cut(text, widths[index] ?? text.length)
        return columns[index]?.paint?.(shown) ?? shown
      }),
    )
  }
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Narrows the widest column that may be cut, one character at a time, until all columns fit. */
function fit<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, size) => sum + size + gap, -gap)
  while (total() > width) {
    let widest = -1
    for (const [index, size] of widths.entries()) {
      const floor = Math.max(minColumnWidth, columns[index]?.head.length ?? 0)
      if (columns[index]?.whole || size <= floor) {
        continue
      }
      if (widest < 0 || size > (widths[widest] ?? 0)) {
        widest = index
      }
    }
    if (widest < 0) {
      break
    }
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

function cut(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`
}

const frameless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}
