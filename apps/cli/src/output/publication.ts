import type { Output } from './output.js'
import { printable } from './printable.js'
import { clock } from './time.js'

/** One line: what came into a channel, now. */
export function publicationLine({ paint }: Output, channel: string, data: unknown): string {
  return `${paint.dim(clock(Date.now()))}  ${paint.cyan(printable(channel))}  ${shownData(data)}`
}

/** Data as JSON, of which some control characters would remain. */
export function shownData(data: unknown): string {
  return printable(JSON.stringify(data) ?? '')
}
