import pc from 'picocolors'
import type { Environment, Stream } from '../terminal/shell.js'
import { type Live, live } from './live.js'
import { printable } from './printable.js'
import { type Column, table } from './table.js'

export type Paint = ReturnType<typeof pc.createColors>

export interface Output {
  /** `--json`: values on stdout instead of text for people. */
  readonly json: boolean
  readonly paint: Paint
  /** stdout as a terminal that can be drawn on again; undefined in a pipe, and with --json. */
  readonly live: Live | undefined
  /** The result: `value` as one line of JSON, or what `text` makes of it for people. */
  show(value: unknown, text: () => string): void
  /** One line on stdout as it is. */
  line(text: string): void
  /** A remark of one line, on stderr. */
  note(text: string): void
  /** Names and values, on stderr, beside a result that stands alone on stdout. */
  noteFields(pairs: Fields): void
  /** Rows for people, as wide as the terminal; `nothing` when there is none. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], nothing: string): string
  /** Names and values of one thing, those without a value left out. */
  fields(pairs: Fields): string
}

export type Fields = readonly (readonly [name: string, value: string | undefined])[]

export function output(
  { stdout, stderr }: { stdout: Stream; stderr: Stream },
  env: Environment,
  json: boolean,
): Output {
  const paint = pc.createColors(coloured(stdout, env))
  const remark = pc.createColors(coloured(stderr, env))
  const drawable = stdout.isTTY === true && env['TERM'] !== 'dumb' && !json
  return {
    json,
    paint,
    live: drawable ? live(stdout) : undefined,
    show(value, text) {
      stdout.write(`${json ? JSON.stringify(value) : text()}\n`)
    },
    line(text) {
      stdout.write(`${text}\n`)
    },
    note(text) {
      stderr.write(`${remark.dim(printable(text))}\n`)
    },
    table(columns, rows, nothing) {
      if (rows.length === 0) {
        return paint.dim(nothing)
      }
      const width = stdout.isTTY === true ? stdout.columns : undefined
      return table(columns, rows, { width, head: paint.dim })
    },
    noteFields(pairs) {
      stderr.write(`${fieldLines(pairs, remark)}\n`)
    },
    fields: (pairs) => fieldLines(pairs, paint),
  }
}

function fieldLines(pairs: Fields, { dim }: Paint): string {
  const shown = pairs.filter(([, value]) => value !== undefined)
  const width = Math.max(...shown.map(([name]) => name.length))
  return shown
    .map(([name, value = '']) => `${dim(name.padEnd(width))}  ${printable(value)}`)
    .join('\n')
}

/** https://no-color.org; a stream that is not a terminal has no colours unless they are forced. */
export function coloured(stream: Stream, env: Environment): boolean {
  if (env['NO_COLOR']) {
    return false
  }
  if (env['FORCE_COLOR']) {
    return env['FORCE_COLOR'] !== '0'
  }
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
