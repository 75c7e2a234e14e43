import { createInterface, type Interface } from 'node:readline'
import type { Shell } from '../terminal/shell.js'

export interface PromptOptions {
  prompt: string
  /** Called with each entered line, without its line break. */
  onLine(line: string): void
  /** Called at Ctrl-C, and at Ctrl-D on an empty line. */
  onEnd(): void
  /** Returns the completions of the last word of `line`. */
  complete(line: string): readonly string[]
}

export interface Prompt {
  /** Prints whole lines above the line that is being typed, which keeps its text and cursor. */
  show(text: string): void
  /** Erases the line that is being typed and releases the terminal. */
  close(): void
}

const eraseBelow = '\u001b[J'
/** Lines that the arrow keys recall. In memory only: they may contain secrets. */
const historySize = 500

/** Opens a prompt on the last line of the terminal. */
export function openPrompt(shell: Shell, options: PromptOptions): Prompt {
  const { stdin, stdout } = shell
  const { onLine, onEnd } = options
  let waiting: string[] = []
  let closed = false
  const line = openReadline(shell, options)
  const flush = () => {
    if (waiting.length === 0) {
      return
    }
    const text = waiting.join('\n')
    waiting = []
    if (closed) {
      stdout.write(`${text}\n`)
      return
    }
    const { rows, erase } = eraseLine(line)
    // One write: the terminal never shows a partly drawn state.
    stdout.cork()
    // readline redraws its line `rows` rows above the cursor.
    stdout.write(`${erase}${text}\n${'\n'.repeat(rows)}`)
    line.prompt(true)
    stdout.uncork()
  }
  // readline redraws from its own `prevRows`, which is wrong after pasted text fills several rows.
  const correctRows = () => void Object.assign(line, { prevRows: line.getCursorPos().rows })
  stdin.on('keypress', correctRows)
  line.on('line', (text) => {
    onLine(text)
    if (!closed) {
      line.prompt()
    }
  })
  line.on('SIGINT', onEnd)
  line.on('close', onEnd)
  line.prompt()
  return {
    show(text) {
      // All text of one turn of the event loop is drawn at once.
      if (waiting.length === 0) {
        setImmediate(flush)
      }
      waiting.push(text)
    },
    close() {
      if (closed) {
        return
      }
      closed = true
      stdin.off('keypress', correctRows)
      stdout.write(eraseLine(line).erase)
      line.close()
      flush()
    },
  }
}

function openReadline({ stdin, stdout }: Shell, { prompt, complete }: PromptOptions): Interface {
  return createInterface({
    input: stdin,
    output: stdout,
    terminal: true,
    prompt,
    historySize,
    removeHistoryDuplicates: true,
    completer: (text: string) => {
      const last = text.split(' ').at(-1) ?? ''
      const hits = complete(text).filter((one) => one.startsWith(last))
      return [hits.length === 1 ? [`${hits[0]} `] : hits, last]
    },
  })
}

/** Returns the sequence that erases the typed line, and the rows between its start and the cursor. */
function eraseLine(line: Interface): { rows: number; erase: string } {
  const { rows } = line.getCursorPos()
  return { rows, erase: `\r${rows === 0 ? '' : `\u001b[${rows}A`}${eraseBelow}` }
}
