import { EventEmitter } from 'node:events'
import type { Process } from '../world/process.js'

/** Reports the events of a client's socket to its client and to the invariants. */
export interface SocketWatcher {
  /** Bytes have left the process. */
  out(bytes: Buffer): void
  closed(code: number): void
}

/**
 * How long after a suspend the process may not have checked its clocks, in milliseconds. The guarantee
 * does not cover bytes that leave a process by themselves in this time, so none leave.
 */
const unseenMs = 60

/** The time in which a slow peer takes one write, in milliseconds. */
const slowMs = { min: 1, max: 40 }

/**
 * A client's connection at its node, in place of a WebSocket of `ws` and its TCP socket. Bytes that a slow
 * peer has not read stay in the process for a while.
 */
export class ClientSocket extends EventEmitter {
  readonly OPEN = 1
  readyState: 0 | 1 | 2 | 3 = 0
  /** When the peer's last message arrives; later messages arrive later. */
  sent = 0
  /** Messages that arrived before the end of the upgrade, or while the socket is paused. */
  readonly #unread: string[] = []
  isPaused = false
  readonly raw: RawSocket
  readonly #process: Process
  readonly #watcher: SocketWatcher

  constructor(process: Process, watcher: SocketWatcher, slow: boolean) {
    super()
    this.#process = process
    this.#watcher = watcher
    this.raw = new RawSocket(process, watcher, slow)
    this.on('error', () => undefined)
  }

  get bufferedAmount(): number {
    return this.raw.writableLength
  }

  /** Used by the gate only; connections write to `raw`. */
  send(text: string): void {
    this.raw.write(Buffer.from(text))
  }

  /** Sends a close frame after everything written before; the peer answers it. */
  close(code = 1005): void {
    if (this.readyState > 1) {
      return
    }
    this.readyState = 2
    this.raw.afterwards(() => {
      this.#watcher.closed(code)
      this.#process.event(this.#process.random.between(0.1, 2), () => this.#end(code))
    })
  }

  terminate(): void {
    if (this.readyState === 3) {
      return
    }
    this.raw.destroy()
    this.readyState = 2
    this.#watcher.closed(1006)
    this.#process.event(0.001, () => this.#end(1006))
  }

  /** Receives a message. Like ws, emits it even after a close until the peer's close frame. */
  message(text: string): void {
    this.#unread.push(text)
    this.#read()
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.#readOn()
  }

  /** Completes the upgrade. Messages that followed the upgrade are read in the next turns. */
  opened(): void {
    this.readyState = 1
    this.#readOn()
  }

  /** Ends the connection because the peer is gone. */
  gone(): void {
    this.#watcher.closed(1006)
    this.#process.event(0, () => this.#end(1006))
  }

  #readOn(): void {
    for (const _ of this.#unread) {
      this.#process.event(0, () => this.#read())
    }
  }

  #read(): void {
    if (this.isPaused || this.readyState === 0 || this.readyState === 3) {
      return
    }
    const text = this.#unread.shift()
    if (text !== undefined) {
      this.emit('message', Buffer.from(text), false)
    }
  }

  #end(code: number): void {
    if (this.readyState === 3) {
      return
    }
    this.readyState = 3
    this.raw.destroy()
    this.emit('close', code, Buffer.alloc(0))
  }
}

/** The TCP socket. */
export class RawSocket extends EventEmitter {
  destroyed = false
  writableLength = 0
  #ended = false
  readonly #process: Process
  readonly #watcher: SocketWatcher
  readonly #slow: boolean
  readonly #waiting: (Buffer | (() => void))[] = []

  constructor(process: Process, watcher: SocketWatcher, slow: boolean) {
    super()
    this.#process = process
    this.#watcher = watcher
    this.#slow = slow
  }

  get writable(): boolean {
    return !this.destroyed && !this.#ended
  }

  write(bytes: Buffer): void {
    if (this.destroyed) {
      return
    }
    if (!this.#slow) {
      this.#watcher.out(bytes)
      return
    }
    this.writableLength += bytes.length
    this.#queue(bytes)
  }

  cork(): void {}

  uncork(): void {}

  /** Calls `done` when everything written has left. */
  afterwards(done: () => void): void {
    if (this.#waiting.length === 0) {
      done()
    } else {
      this.#queue(done)
    }
  }

  /** Ends the stream after everything written; the peer then closes the connection. */
  end(): void {
    this.#ended = true
    this.afterwards(() => {
      this.#process.event(this.#process.random.between(0.1, 2), () => this.destroy())
    })
  }

  destroy(): void {
    if (this.destroyed) {
      return
    }
    this.destroyed = true
    this.#waiting.length = 0
    this.writableLength = 0
    this.#process.event(0.001, () => this.emit('close'))
  }

  /** Like `destroy`: the simulated kernel sends nothing afterwards. */
  resetAndDestroy(): void {
    this.destroy()
  }

  destroySoon(): void {
    this.destroy()
  }

  #queue(item: Buffer | (() => void)): void {
    this.#waiting.push(item)
    if (this.#waiting.length === 1) {
      this.#later()
    }
  }

  #later(): void {
    const { min, max } = slowMs
    this.#process.event(this.#process.random.between(min, max), () => {
      const { stops } = this.#process
      // After a stop, a process handles its timers before its sockets. The guarantee does not cover a stop
      // in the middle of a turn in which the socket became writable.
      this.#process.event(0, () => (this.#process.stops === stops ? this.#leave() : this.#later()))
    })
  }

  #leave(): void {
    if (this.#process.world.now - this.#process.wokeAt < unseenMs) {
      this.#later()
      return
    }
    const item = this.#waiting.shift()
    if (item === undefined) {
      return
    }
    if (typeof item === 'function') {
      item()
    } else {
      this.#watcher.out(item)
      this.writableLength -= item.length
      if (this.writableLength === 0) {
        this.emit('drain')
      }
    }
    if (this.#waiting.length > 0) {
      this.#later()
    }
  }
}
