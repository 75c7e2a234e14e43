import { describeRounds, type Ratio, type Result, type Row } from './result.js'

/** Returns a result as text: names aligned left, figures aligned right, ratios first. */
export function table(result: Result): string {
  const cells = cellsOf(result)
  const widths = cells.reduce<number[]>(
    (widest, line) => line.map((cell, index) => Math.max(widest[index] ?? 0, cell.length)),
    [],
  )
  const lines = cells.map((line) => {
    const padded = line.map((cell, index) => {
      const width = widths[index] ?? 0
      return index < 2 ? cell.padEnd(width) : cell.padStart(width)
    })
    return `  ${padded.join('   ').trimEnd()}`
  })
  const rule = `  ${'─'.repeat(widths.reduce((sum, width) => sum + width + 3, -3))}`
  const [head = '', ...body] = lines
  return [
    result.title,
    '',
    head,
    rule,
    ...body,
    '',
    ...explanations(result).map((text) => `  ${text}`),
  ].join('\n')
}

/** Returns the conditions of a result in sentences. */
export function explanations(result: Result): string[] {
  const { node, redis, system, cpu, cores, at } = result.measured
  return [
    ...result.conditions,
    ...otherColumns(result),
    describeRounds(result),
    `Node ${node}, Redis ${redis}, ${system}, ${cpu}, ${cores} cores; load average ${result.measured.load.join(' to ')}; ${at}.`,
  ]
}

/** Returns the rows of a table, the head first: case, side, ratio, its range, then the columns. */
export function cellsOf({ columns, cases }: Pick<Result, 'columns' | 'cases'>): string[][] {
  const rows = cases.flatMap((one) => one.rows)
  const used = columns.filter(({ key }) => rows.some(({ figures }) => figures[key] !== undefined))
  const first = (row: Row, index: number, name: string) => [
    index === 0 ? name : '',
    row.name,
    row.ratio === undefined ? '' : ratioText(row.ratio),
    row.ratio === undefined ? '' : `${row.ratio.min.toFixed(2)}–${row.ratio.max.toFixed(2)}`,
  ]
  const head = rows[0]?.name ?? ''
  return [
    ['', '', `${head} ÷ this`, 'range', ...used.map(({ title }) => title)],
    ...cases.flatMap((one) =>
      one.rows.map((row, index) => [
        ...first(row, index, one.name),
        ...used.map(({ key, digits }) => row.figures[key]?.toFixed(digits) ?? '-'),
      ]),
    ),
  ]
}

function ratioText({ median, by }: Ratio): string {
  return `${median.toFixed(2)}${by === undefined ? '' : ` (${by})`}`
}

function otherColumns({ cases }: Result): string[] {
  const rows = cases.flatMap((one) => one.rows)
  const others = rows.flatMap(({ name, ratio }) => (ratio?.by === undefined ? [] : [name]))
  return [...new Set(others)].map((name) => `${name} is compared by time: its CPU is not known.`)
}
