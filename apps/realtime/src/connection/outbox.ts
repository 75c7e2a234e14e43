import { textFrame } from '@portcullis/protocol'

/**
 * What waits to leave a connection this tick, in order: messages of its own as text, and frames
 * that it shares with other connections, ready as they are.
 */
export class Outbox {
  #items: (string | Buffer)[] = []
  #bytes = 0

  /** About how much waits; text is counted in UTF-16 units. */
  get bytes(): number {
    return this.#bytes
  }

  add(item: string | Buffer): void {
    this.#items.push(item)
    this.#bytes += item.length
  }

  clear(): void {
    this.#items = []
    this.#bytes = 0
  }

  /** Takes everything as frames; messages of its own that follow each other share one, a line each. */
  take(): Buffer[] {
    const frames: Buffer[] = []
    let lines: string[] = []
    const close = () => {
      if (lines.length > 0) frames.push(textFrame(lines.join('\n')))
      lines = []
    }
    for (const item of this.#items) {
      if (typeof item === 'string') {
        lines.push(item)
      } else {
        close()
        frames.push(item)
      }
    }
    close()
    this.clear()
    return frames
  }
}
