import { stripVTControlCharacters } from 'node:util'
import type { Stream } from '../terminal/shell.js'

/** The last lines of a terminal, drawn again in place of themselves. */
export interface Live {
  /**
   * Shows `text`. Lines that are wider than the terminal are cut; of what is taller, the end gives
   * way, but for the last line.
   */
  draw(text: string): void
  /** Takes what is shown away, for what is to stay. */
  clear(): void
}

const eraseBelow = '\u001b[J'
const eraseRight = '\u001b[K'

/** Takes the terminal over from where its cursor is; nobody else may write to it until `clear`. */
export function live(terminal: Stream): Live {
  let shown: string[] = []

  /** Moves to where the shown lines begin, also when the terminal has become narrower meanwhile. */
  const back = () => {
    const width = terminal.columns ?? Number.POSITIVE_INFINITY
    const rows = shown.map((line) => Math.max(1, Math.ceil(widthOf(line) / width)))
    const height = rows.reduce((sum, one) => sum + one, 0)
    return height === 0 ? '' : `\r\u001b[${height}A`
  }
  return {
    draw(text) {
      const start = back()
      const lines = text.split('\n')
      const room = Math.max(1, (terminal.rows ?? 24) - 1)
      if (lines.length > room) {
        lines.splice(room - 1, lines.length - room)
      }
      // A character in the last column would leave the cursor where terminals do not agree.
      shown = lines.map((line) => cut(line, (terminal.columns ?? 80) - 1))
      // Over what is there, and in one write: nothing flickers, and half a picture is never seen.
      const drawn = shown.map((line) => `${line}${eraseRight}\n`).join('')
      terminal.write(`${start}${drawn}${eraseBelow}`)
    },
    clear() {
      if (shown.length === 0) {
        return
      }
      terminal.write(`${back()}${eraseBelow}`)
      shown = []
    },
  }
}

function widthOf(line: string): number {
  return [...stripVTControlCharacters(line)].length
}

/** As many characters as fit, and every colour change among them and after them. */
function cut(line: string, width: number): string {
  let room = width
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  return line.replace(/\u001b\[[\d;]*m|./gu, (part) => {
    if (part.length > 2) {
      return part
    }
    room -= 1
    return room < 0 ? '' : part
  })
}
