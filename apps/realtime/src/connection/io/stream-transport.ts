import type { Socket } from 'node:net'
import { reset } from '@portcullis/gate'
import type { StreamCodec } from '@portcullis/protocol'
import type { EmulationAddress, Transport, TransportName } from './transport.js'
import type { CloseDeadline } from './web-socket-transport.js'
import { writeFrames } from './write-frames.js'

export interface StreamTransportOptions {
  name: TransportName
  /** The socket of a response whose head is written, and whose body ends with the connection. */
  raw: Socket
  codec: StreamCodec
  emulation: EmulationAddress
  closeDeadline: CloseDeadline
}

/**
 * A transport over the body of one HTTP response. The client's commands arrive in emulation requests.
 */
export class StreamTransport implements Transport {
  readonly name: TransportName
  readonly emulation: EmulationAddress
  readonly #raw: Socket
  readonly #codec: StreamCodec
  readonly #closeDeadline: CloseDeadline

  constructor({ name, raw, codec, emulation, closeDeadline }: StreamTransportOptions) {
    this.name = name
    this.emulation = emulation
    this.#raw = raw
    this.#codec = codec
    this.#closeDeadline = closeDeadline
  }

  write(frames: readonly Buffer[]): void {
    if (this.#raw.writable) {
      writeFrames(this.#raw, frames)
    }
  }

  backlog(): number {
    return this.#raw.writableLength
  }

  /** Does nothing: emulation requests are small, and wait in the connection within its bound. */
  setReading(): void {}

  close(code: number, reason: string): void {
    // Without a reset at the deadline the kernel would go on sending its bytes to a slow reader.
    this.#closeDeadline.add(this)
    this.write([this.#codec.frame([this.#codec.disconnectPush({ code, reason })])])
    this.#raw.end()
  }

  destroy(): void {
    reset(this.#raw)
  }

  /** Call when the socket has closed. */
  closed(): void {
    this.#closeDeadline.delete(this)
  }
}
