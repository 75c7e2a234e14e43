import { printable } from './printable.js'
import { cutText, padEnd, textWidth, wrapText } from './text-width.js'

export interface Column<Row> {
  head: string
  value: (row: Row) => string
  /** Never cut, however narrow the terminal: text to copy, such as an id. */
  whole?: boolean
  right?: boolean
  paint?: (text: string) => string
}

interface TableOptions {
  /** Columns of the terminal; undefined without a terminal: nothing is cut or wrapped. */
  width: number | undefined
  /** Paints the heads. */
  head: (text: string) => string
}

const gap = '  '
/** A column that is cut keeps at least this width. */
const minColumnWidth = 8
/** A narrower terminal shows a row that does not fit as a block of lines, instead of cutting it. */
const minCutWidth = 80
/** A value in a block has at least this width, also on a narrower terminal. */
const minValueWidth = 20

/**
 * Returns rows under a head, without frames and trailing spaces. On a terminal that is too narrow the
 * widest columns are cut, with an ellipsis. Below 80 columns, or when cutting is not enough, each row
 * becomes a block with a line for each value.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, head }: TableOptions,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row)).trimEnd()))
  const natural = columns.map((column, index) =>
    Math.max(textWidth(column.head), ...cells.map((row) => textWidth(row[index] ?? ''))),
  )
  const widths = width === undefined ? natural : fit(natural, columns, width)
  if (widths === undefined) {
    return cells.map((row) => block(columns, row, { width, head })).join('\n\n')
  }
  const headLine = columns.map((column) => column.head)
  return [
    line(headLine, widths, columns, () => head),
    ...cells.map((row) => line(row, widths, columns, (column) => column.paint)),
  ].join('\n')
}

/**
 * Returns the widths of the columns, the widest ones narrowed until all fit; undefined when they
 * cannot be narrowed enough.
 */
function fit<Row>(
  natural: readonly number[],
  columns: readonly Column<Row>[],
  width: number,
): number[] | undefined {
  const widths = [...natural]
  const floors = columns.map(({ head, whole }, index) =>
    whole ? (natural[index] ?? 0) : Math.max(minColumnWidth, textWidth(head)),
  )
  const total = () => widths.reduce((sum, size) => sum + size + gap.length, -gap.length)
  while (total() > width) {
    let widest = -1
    for (const [index, size] of widths.entries()) {
      if (size > (floors[index] ?? 0) && size > (widths[widest] ?? 0)) {
        widest = index
      }
    }
    if (widest < 0 || width < minCutWidth) {
      return undefined
    }
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

function line<Row>(
  cells: readonly string[],
  widths: readonly number[],
  columns: readonly Column<Row>[],
  paintOf: (column: Column<Row>) => ((text: string) => string) | undefined,
): string {
  const last = cells.findLastIndex((text) => text !== '')
  const parts = columns.slice(0, last + 1).map((column, index) => {
    const width = widths[index] ?? 0
    const shown = cut(cells[index] ?? '', width)
    const pad = padEnd('', width - textWidth(shown))
    const painted = paintOf(column)?.(shown) ?? shown
    if (column.right) {
      return `${pad}${painted}`
    }
    return index === last ? painted : `${painted}${pad}`
  })
  return parts.join(gap)
}

function cut(text: string, width: number): string {
  return textWidth(text) <= width ? text : `${cutText(text, width - 1)}…`
}

/** Returns a row as lines of a head and a value, which is wrapped; empty values are left out. */
function block<Row>(
  columns: readonly Column<Row>[],
  cells: readonly string[],
  { width = Number.POSITIVE_INFINITY, head }: TableOptions,
): string {
  const headWidth = Math.max(...columns.map((column) => textWidth(column.head)))
  const margin = headWidth + gap.length
  const valueWidth = Math.max(minValueWidth, width - margin)
  const lines = columns.flatMap((column, index) => {
    const wrapped = wrapText(cells[index] ?? '', valueWidth)
    return wrapped.map((text, at) => {
      const left = head(padEnd(at === 0 ? column.head : '', headWidth))
      return `${left}${gap}${column.paint?.(text) ?? text}`
    })
  })
  return lines.join('\n')
}
