import type { Codec, Encoded } from '@portcullis/protocol'

/**
 * The output that leaves a connection at the end of this tick, in order: messages of its own, and
 * whole frames that it shares with other connections. An empty outbox holds no arrays, because most
 * connections are idle most of the time.
 */
export class Outbox {
  readonly #codec: Codec
  #frames: Buffer[] | undefined
  /** The connection's own messages since the last frame. They will share one frame. */
  #messages: Encoded[] | undefined
  #bytes = 0

  constructor(codec: Codec) {
    this.#codec = codec
  }

  /** The approximate size: text is counted in UTF-16 units. */
  get bytes(): number {
    return this.#bytes
  }

  add(message: Encoded): void {
    if (this.#messages === undefined) {
      this.#messages = [message]
    } else {
      this.#messages.push(message)
    }
    this.#bytes += message.length
  }

  /** Adds a message before everything else. */
  addFirst(message: Encoded): void {
    if (this.#frames !== undefined) {
      this.#frames.unshift(this.#codec.frame([message]))
    } else if (this.#messages !== undefined) {
      this.#messages.unshift(message)
    } else {
      this.#messages = [message]
    }
    this.#bytes += message.length
  }

  addFrame(frame: Buffer): void {
    if (this.#messages !== undefined) {
      this.#endFrame(this.#messages)
    }
    this.#pushFrame(frame)
    this.#bytes += frame.length
  }

  clear(): void {
    this.#frames = undefined
    this.#messages = undefined
    this.#bytes = 0
  }

  /** Removes everything, and returns it as frames. */
  take(): Buffer[] {
    if (this.#messages !== undefined) {
      this.#endFrame(this.#messages)
    }
    const frames = this.#frames ?? []
    this.clear()
    return frames
  }

  #endFrame(messages: Encoded[]): void {
    this.#messages = undefined
    this.#pushFrame(this.#codec.frame(messages))
  }

  #pushFrame(frame: Buffer): void {
    if (this.#frames === undefined) {
      this.#frames = [frame]
    } else {
      this.#frames.push(frame)
    }
  }
}
