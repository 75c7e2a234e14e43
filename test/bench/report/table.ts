import type { Result } from './result.js'

/** Returns a result as text: names aligned left, figures aligned right. */
export function table({ title, columns, rows, conditions }: Result): string {
  const cells = [
    ['', ...columns.map((column) => column.title)],
    ...rows.map(({ name, figures }) => [
      name,
      ...columns.map(({ key, digits }) => shown(figures[key], digits)),
    ]),
  ]
  const widths = cells.reduce<number[]>(
    (widest, line) => line.map((cell, index) => Math.max(widest[index] ?? 0, cell.length)),
    [],
  )
  const lines = cells.map((line) => {
    const padded = line.map((cell, index) => {
      const width = widths[index] ?? 0
      return index === 0 ? cell.padEnd(width) : cell.padStart(width)
    })
    return `  ${padded.join('   ')}`.trimEnd()
  })
  const rule = `  ${'─'.repeat(widths.reduce((sum, width) => sum + width + 3, -3))}`
  const [head = '', ...body] = lines
  return [title, '', head, rule, ...body, '', ...conditions.map((text) => `  ${text}`)].join('\n')
}

function shown(figure: number | undefined, digits: number): string {
  return figure === undefined ? '-' : figure.toFixed(digits)
}
