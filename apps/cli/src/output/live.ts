import { stripVTControlCharacters } from 'node:util'
import type { Stream } from './output.js'

/** The last lines of a terminal, drawn again in place of themselves. */
export interface Live {
  /** Shows `text`; of what is taller than the terminal, the beginning. */
  draw(text: string): void
  /** Takes what is shown away, for what is to stay. */
  clear(): void
}

/** Takes the terminal over from where its cursor is; nobody else may write to it until `clear`. */
export function live(terminal: Stream): Live {
  let shown: string[] = []
  const heightOf = (line: string) =>
    Math.max(
      1,
      Math.ceil([...stripVTControlCharacters(line)].length / (terminal.columns ?? Infinity)),
    )
  /** Moves to where the shown lines begin, also when the terminal has become narrower meanwhile. */
  const back = () => {
    const height = shown.reduce((sum, line) => sum + heightOf(line), 0)
    shown = []
    return height === 0 ? '' : `\r\u001b[${height}A\u001b[J`
  }
  return {
    draw(text) {
      const start = back()
      let room = (terminal.rows ?? 24) - 1
      for (const line of text.split('\n')) {
        room -= heightOf(line)
        if (room < 0) break
        shown.push(line)
      }
      // In one write: half a picture is never seen.
      terminal.write(`${start}${shown.map((line) => `${line}\n`).join('')}`)
    },
    clear() {
      const start = back()
      if (start !== '') terminal.write(start)
    },
  }
}
