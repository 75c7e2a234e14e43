import type { Output } from './output.js'
import { printable } from './printable.js'
import { clock } from './time.js'

/** Returns a line with the time, the channel and the data of a publication that has just arrived. */
export function publicationLine({ paint }: Output, channel: string, data: unknown): string {
  return `${paint.dim(clock(Date.now()))}  ${paint.cyan(printable(channel))}  ${dataText(data)}`
}

/** Returns data as JSON; JSON leaves some control characters unescaped, `printable` does not. */
export function dataText(data: unknown): string {
  return printable(JSON.stringify(data) ?? '')
}
