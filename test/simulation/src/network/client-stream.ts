import type { Process } from '../world/process.js'
import { RawSocket } from './client-socket.js'

/** Reports the events of a stream to its client and to the invariants. */
export interface StreamWatcher {
  /** Application bytes have left the process. */
  out(bytes: Buffer): void
  /** @param code - from the disconnect push; 1006 when the stream was cut */
  closed(code: number): void
}

/** A client's HTTP stream at its node. */
export class ClientStream {
  readonly raw: RawSocket
  readonly #process: Process
  readonly #watcher: StreamWatcher
  #code = 1006

  constructor(process: Process, watcher: StreamWatcher, slow: boolean) {
    this.#process = process
    this.#watcher = watcher
    this.raw = new RawSocket(
      process,
      { out: (bytes) => this.#out(bytes), closed: () => undefined },
      slow,
    )
    this.raw.once('close', () => watcher.closed(this.#code))
  }

  /** Ends the connection because the peer is gone. */
  gone(): void {
    this.#watcher.closed(1006)
    this.#process.event(0, () => this.raw.destroy())
  }

  /** The disconnect push stands for a close frame, which has no application bytes. */
  #out(bytes: Buffer): void {
    const { push } = JSON.parse(bytes.toString().split('\n', 1)[0] ?? '')
    if (push?.disconnect === undefined) {
      this.#watcher.out(bytes)
    } else {
      this.#code = push.disconnect.code
    }
  }
}
