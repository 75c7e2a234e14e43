import { EventEmitter } from 'node:events'
import type { Process } from '../world/process.js'

/** What becomes of a client's socket, as its client and the invariants see it. */
export interface SocketWatcher {
  /** Bytes leave the process. */
  out(bytes: Buffer): void
  closed(code: number): void
}

/**
 * For so long after a suspend the process has not looked at its clocks, in milliseconds; what leaves it
 * meanwhile without a step of its own the guarantee does not cover. So what a slow peer takes in this
 * time is what the kernel has.
 */
const unseenMs = 60

/** A peer that reads slowly takes one write in this time, in milliseconds. */
const slowMs = { least: 1, most: 40 }

/**
 * A client's connection at its node: what `ws` and the TCP socket below it are to production code.
 * What a slow peer has not taken yet stays in the process for a while.
 */
export class ClientSocket extends EventEmitter {
  readonly OPEN = 1
  readyState: 0 | 1 | 2 | 3 = 0
  /** When the last message of the peer arrives: they keep their order. */
  sent = 0
  /** What came before the upgrade was through, or while the socket is not read. */
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

  /** The gate watches it; connections write past it. */
  send(text: string): void {
    this.raw.write(Buffer.from(text))
  }

  /** A close frame after what was written, and the peer's answer. */
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

  /** The peer sends a message. ws hands it over even while it awaits the answer to its close. */
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

  /** The upgrade is through; what came right behind it is read in the next turns. */
  opened(): void {
    this.readyState = 1
    this.#readOn()
  }

  /** The peer is gone. */
  gone(): void {
    this.#watcher.closed(1006)
    this.#end(1006)
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
    return !this.destroyed
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

  /** Calls back when everything written has left. */
  afterwards(done: () => void): void {
    if (this.#waiting.length === 0) {
      done()
    } else {
      this.#queue(done)
    }
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

  /** The simulation has no kernel that goes on sending after `destroy`. */
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
    const { least, most } = slowMs
    this.#process.event(this.#process.random.between(least, most), () => {
      // A process that goes on after it was stopped comes to its timers before its sockets.
      this.#process.event(0, () => this.#leave())
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
