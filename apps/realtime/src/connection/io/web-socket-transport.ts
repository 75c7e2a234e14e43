import type { Socket } from 'node:net'
import { resetWebSocket } from '@portcullis/gate'
import type { WebSocket } from 'ws'
import type { Deadline } from '../timing/deadline.js'
import type { Transport } from './transport.js'
import { writeFrames } from './write-frames.js'

/** Resets peers that do not answer a close frame in time. */
export type CloseDeadline = Deadline<{ destroy(): void }>

/**
 * A transport over `ws` and the socket below it. Ready frames are written past `ws`. They do not
 * interleave with frames of `ws` (pong, close), which it writes whole and at once while compression is
 * off.
 */
export class WebSocketTransport implements Transport {
  readonly #socket: WebSocket
  readonly #raw: Socket
  readonly #closeDeadline: CloseDeadline

  constructor(socket: WebSocket, raw: Socket, closeDeadline: CloseDeadline) {
    this.#socket = socket
    this.#raw = raw
    this.#closeDeadline = closeDeadline
  }

  write(frames: readonly Buffer[]): void {
    const raw = this.#raw
    if (this.#socket.readyState !== this.#socket.OPEN || !raw.writable) {
      return
    }
    writeFrames(raw, frames)
  }

  backlog(): number {
    return this.#raw.writableLength
  }

  setReading(reading: boolean): void {
    if (reading) {
      this.#socket.resume()
    } else {
      this.#socket.pause()
    }
  }

  close(code: number, reason: string): void {
    // ws has a deadline too, but after it the kernel would still send its bytes.
    this.#closeDeadline.add(this)
    this.#socket.close(code, reason)
  }

  destroy(): void {
    resetWebSocket(this.#socket, this.#raw)
  }

  /** Call when `ws` reports an error. */
  failed(): void {
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.destroy()
    } else {
      // ws has already sent the close code for a violation of RFC 6455.
      this.#closeDeadline.add(this)
    }
  }

  /** Call when the socket has closed. */
  closed(): void {
    this.#closeDeadline.delete(this)
  }
}
