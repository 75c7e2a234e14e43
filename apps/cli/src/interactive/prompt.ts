import { createInterface } from 'node:readline'
import type { Shell } from '../terminal/shell.js'

export interface PromptOptions {
  prompt: string
  /** Takes each line that is entered, without its end. */
  onLine(line: string): void
  /** Called when the person wants no more: Ctrl-C, or Ctrl-D on an empty line. */
  onEnd(): void
  /** What the last word of `line` may become. */
  complete(line: string): readonly string[]
}

export interface Prompt {
  /** Shows whole lines above what is being typed, which stays as it is, the cursor too. */
  show(text: string): void
  /** Gives the terminal back, without the line that was being typed. */
  close(): void
}

const eraseBelow = '\u001b[J'
/** Lines that the arrow keys bring back; in memory alone, for there may be secrets among them. */
const historySize = 500

/** Takes the terminal over: a line to type on at its end, and what happens above it. */
export function openPrompt(
  { stdin, stdout }: Shell,
  { prompt, onLine, onEnd, complete }: PromptOptions,
): Prompt {
  let waiting: string[] = []
  let closed = false
  const line = createInterface({
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
  const home = () => {
    const { rows } = line.getCursorPos()
    return { rows, erase: `\r${rows === 0 ? '' : `\u001b[${rows}A`}${eraseBelow}` }
  }
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
    const { rows, erase } = home()
    // In one piece, so that half a picture is never seen.
    stdout.cork()
    // readline draws its line anew that many rows further up.
    stdout.write(`${erase}${text}\n${'\n'.repeat(rows)}`)
    line.prompt(true)
    stdout.uncork()
  }
  // readline draws from where it believes the cursor to be, and is wrong about it after what is
  // pasted over several rows.
  const believe = () => void Object.assign(line, { prevRows: line.getCursorPos().rows })
  stdin.on('keypress', believe)
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
      // What one turn brings is drawn at once.
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
      stdin.off('keypress', believe)
      stdout.write(home().erase)
      line.close()
      flush()
    },
  }
}
