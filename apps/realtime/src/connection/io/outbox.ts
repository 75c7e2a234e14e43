import type { Codec, Encoded } from '@portcullis/protocol'

/**
 * What waits to leave a connection this tick, in order: messages of its own, and frames that it
 * shares with other connections, ready as they are.
 */
export class Outbox {
  readonly #codec: Codec
  #frames: Buffer[] = []
  /** Its own messages since the last of the frames; those that follow each other share one. */
  #messages: Encoded[] = []
  #bytes = 0

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /** About how much waits; text is counted in UTF-16 units. */
  get bytes(): number {
    return this.#bytes
  }

  add(message: Encoded): void {
    this.#messages.push(message)
    this.#bytes += message.length
  }

  /** Before all that waits. */
  addFirst(message: Encoded): void {
    if (this.#frames.length === 0) {
      this.#messages.unshift(message)
    } else {
      this.#frames.unshift(this.#codec.frame([message]))
    }
    this.#bytes += message.length
  }

  addFrame(frame: Buffer): void {
    this.#closeFrame()
    this.#frames.push(frame)
    this.#bytes += frame.length
  }

  clear(): void {
    this.#frames = []
    this.#messages = []
    this.#bytes = 0
  }

  /** Takes everything as frames. */
  take(): Buffer[] {
    this.#closeFrame()
    const frames = this.#frames
    this.clear()
    return frames
  }

  #closeFrame(): void {
    if (this.#messages.length === 0) {
      return
    }
    this.#frames.push(this.#codec.frame(this.#messages))
    this.#messages = []
  }
}
