import type { Result } from './result.js'

/** Pixels. */
const width = 720
const labels = 300
const numbers = 64
const row = 26
const head = 58
const foot = 22

interface Bar {
  label: string
  median: number
  min: number
  max: number
}

/**
 * Returns a plot as SVG: a bar for each compared side, as long as our figure divided by that side's, with
 * the range over the rounds, and a line where both are equal. It is readable on light and dark pages.
 */
export function plot({ title, cases }: Pick<Result, 'title' | 'cases'>): string {
  const bars = cases.flatMap(({ name, rows }) =>
    rows.flatMap(({ name: side, ratio }): Bar[] =>
      ratio === undefined ? [] : [{ label: name === '' ? side : `${name} ÷ ${side}`, ...ratio }],
    ),
  )
  const ours = cases[0]?.rows[0]?.name ?? ''
  const most = Math.max(1.25, ...bars.map(({ max }) => max))
  const x = (ratio: number) => labels + (ratio / most) * (width - labels - numbers)
  const height = head + bars.length * row + foot
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    style,
    `<text class="title" x="0" y="16">${escaped(title)}</text>`,
    `<text class="note" x="0" y="36">${escaped(`${ours} divided by the other side; shorter is better for ${ours}; lines show the range`)}</text>`,
    ...bars.flatMap((bar, index) => drawn(bar, head + index * row, x)),
    `<line class="equal" x1="${x(1)}" x2="${x(1)}" y1="${head - 8}" y2="${height - foot + 4}"/>`,
    `<text class="note" x="${x(1)}" y="${height - 5}" text-anchor="middle">equal</text>`,
    '</svg>',
    '',
  ].join('\n')
}

const style = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.note { font-size: 11px; fill: #59636e }
.less { fill: #2da44e }
.more { fill: #bf8700 }
.range { stroke: #1f2328; stroke-width: 1.5 }
.equal { stroke: #59636e; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .note { fill: #9198a1 }
  .range { stroke: #e6edf3 }
  .equal { stroke: #9198a1 }
}
</style>`

function drawn({ label, median, min, max }: Bar, top: number, x: (ratio: number) => number) {
  const middle = top + row / 2 - 4
  const zero = x(0)
  return [
    `<text x="${zero - 10}" y="${middle + 5}" text-anchor="end">${escaped(label)}</text>`,
    `<rect class="${median <= 1 ? 'less' : 'more'}" x="${zero}" y="${top}" width="${round(x(median) - zero)}" height="${row - 8}" rx="2"/>`,
    `<path class="range" d="M${round(x(min))} ${middle}H${round(x(max))}M${round(x(min))} ${middle - 4}v8M${round(x(max))} ${middle - 4}v8"/>`,
    `<text x="${width - 4}" y="${middle + 5}" text-anchor="end">${median.toFixed(2)}</text>`,
  ]
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}
