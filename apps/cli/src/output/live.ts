import type { Stream } from '../terminal/shell.js'
import { cutText, textWidth } from './text-width.js'

/** The last lines of a terminal, which can be redrawn in place. */
export interface Live {
  /**
   * Shows `text`. Lines wider than the terminal are cut. When there are more lines than rows, lines
   * before the last one are left out.
   */
  draw(text: string): void
  /** Erases the shown text. */
  clear(): void
}

const eraseBelow = '\u001b[J'
const eraseRight = '\u001b[K'

/** Draws from the current cursor position; nothing else may write to the terminal until `clear`. */
export function live(terminal: Stream): Live {
  let shown: string[] = []

  /** Moves to the first shown line; a terminal that has become narrower has wrapped some lines. */
  const moveToStart = () => {
    const width = terminal.columns ?? Number.POSITIVE_INFINITY
    const rows = shown.map((line) => Math.max(1, Math.ceil(textWidth(line) / width)))
    const height = rows.reduce((sum, one) => sum + one, 0)
    return height === 0 ? '' : `\r\u001b[${height}A`
  }
  return {
    draw(text) {
      const start = moveToStart()
      const lines = text.split('\n')
      const room = Math.max(1, (terminal.rows ?? 24) - 1)
      if (lines.length > room) {
        lines.splice(room - 1, lines.length - room)
      }
      // Terminals differ in where the cursor is after the last column, so that column stays empty.
      shown = lines.map((line) => cut(line, (terminal.columns ?? 80) - 1))
      // One write, over the old text: no flicker, and no partly drawn state.
      const drawn = shown.map((line) => `${line}${eraseRight}\n`).join('')
      terminal.write(`${start}${drawn}${eraseBelow}`)
    },
    clear() {
      if (shown.length === 0) {
        return
      }
      terminal.write(`${moveToStart()}${eraseBelow}`)
      shown = []
    },
  }
}

/** Cuts the line to `width` columns and keeps every colour change, also those after the cut. */
function cut(line: string, width: number): string {
  let room = width
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with ESC
  return line.replace(/(\u001b\[[\d;]*m)|[^\u001b]+/gu, (part, colour) => {
    if (colour !== undefined) {
      return part
    }
    const shown = cutText(part, room)
    room = shown === part ? room - textWidth(part) : 0
    return shown
  })
}
