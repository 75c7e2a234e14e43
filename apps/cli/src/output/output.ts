import pc from 'picocolors'
import type { Environment, Stream } from '../terminal/shell.js'
import { type Live, live } from './live.js'
import { printable } from './printable.js'
import { type Column, table } from './table.js'

export type Paint = ReturnType<typeof pc.createColors>

export interface Output {
  /** `--json`: stdout gets JSON instead of text. */
  readonly json: boolean
  readonly paint: Paint
  /** Redraws text in place; undefined when stdout is no terminal, and with --json. */
  readonly live: Live | undefined
  /** Prints the result: `value` as one line of JSON, or `text()`. */
  show(value: unknown, text: () => string): void
  /** Prints a line on stdout. */
  line(text: string): void
  /** Prints a remark of one line on stderr. */
  note(text: string): void
  /** Remarks that a list was cut at `--limit`, when `more` is true. */
  noteMore(more: boolean): void
  /** Prints names and values on stderr, when stdout holds the bare result. */
  noteFields(pairs: Fields): void
  /** Returns a table that fits the terminal, or `empty` when there are no rows. */
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: string): string
  /** Returns lines of names and values, without those whose value is undefined. */
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
  const canRedraw = stdout.isTTY === true && env['TERM'] !== 'dumb' && !json
  return {
    json,
    paint,
    live: canRedraw ? live(stdout) : undefined,
    show(value, text) {
      stdout.write(`${json ? JSON.stringify(value) : text()}\n`)
    },
    line(text) {
      stdout.write(`${text}\n`)
    },
    note(text) {
      stderr.write(`${remark.dim(printable(text))}\n`)
    },
    noteMore(more) {
      if (more) {
        this.note('there are more; raise --limit')
      }
    },
    table(columns, rows, empty) {
      if (rows.length === 0) {
        return paint.dim(empty)
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

/** Returns true when the stream gets colours: NO_COLOR (https://no-color.org), FORCE_COLOR, or a terminal. */
export function coloured(stream: Stream, env: Environment): boolean {
  if (env['NO_COLOR']) {
    return false
  }
  if (env['FORCE_COLOR']) {
    return env['FORCE_COLOR'] !== '0'
  }
  return stream.isTTY === true && env['TERM'] !== 'dumb'
}
