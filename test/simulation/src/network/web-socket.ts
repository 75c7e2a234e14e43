import { EventEmitter } from 'node:events'
import type { End, Receiver } from './network.js'

type Frame =
  | { kind: 'upgrade'; token: string }
  | { kind: 'upgraded' }
  | { kind: 'refused'; status: number }
  | { kind: 'text'; text: string }
  | { kind: 'ping' | 'pong' }
  | { kind: 'close'; code: number; reason: string }

/** How long ws waits for the peer's close frame, in milliseconds. */
const closeTimeoutMs = 30_000

/**
 * A WebSocket like that of `ws`, over a simulated connection: the same events in the same order, pings that
 * the peer's process answers, and a closing handshake.
 */
export class SimulatedWebSocket extends EventEmitter implements Receiver {
  readonly CONNECTING = 0
  readonly OPEN = 1
  readonly CLOSING = 2
  readonly CLOSED = 3
  readyState: 0 | 1 | 2 | 3
  isPaused = false
  readonly bufferedAmount = 0
  readonly #end: End
  #closeCode = 1006
  #closeReason = ''
  #timers: { cancel(): void }[] = []
  /** Returns the HTTP status that answers an upgrade. */
  readonly #admit: ((token: string) => Promise<number>) | undefined

  private constructor(end: End, state: 0 | 1, admit?: (token: string) => Promise<number>) {
    super()
    this.#end = end
    this.readyState = state
    this.#admit = admit
    end.receiver = this
    // An EventEmitter throws an 'error' without a listener; production code may not listen.
    this.on('error', () => undefined)
  }

  /** Dials. `open`, `unexpected-response` or `error` follows, and finally `close`. */
  static dial(end: End, token: string, handshakeMs: number): SimulatedWebSocket {
    const socket = new SimulatedWebSocket(end, 0)
    const late = end.process.setTimeout(() => {
      if (socket.readyState !== 0) {
        return
      }
      socket.emit('error', new Error('Opening handshake has timed out'))
      socket.terminate()
    }, handshakeMs)
    socket.#timers.push(late)
    socket.#send({ kind: 'upgrade', token })
    return socket
  }

  /** Accepts a dial; calls `opened` after `admit` has returned 101. */
  static accept(
    end: End,
    admit: (token: string) => Promise<number>,
    opened: (socket: SimulatedWebSocket, token: string) => void,
  ): void {
    const socket = new SimulatedWebSocket(end, 0, admit)
    socket.once('admitted', (token: string) => opened(socket, token))
  }

  send(data: string | Buffer, options?: unknown, callback?: (error?: Error) => void): void {
    const done = typeof options === 'function' ? (options as () => void) : callback
    if (this.readyState !== 1) {
      this.#end.process.event(0, () => done?.(new Error('WebSocket is not open')))
      return
    }
    this.#send({ kind: 'text', text: data.toString() }, () => done?.())
  }

  ping(): void {
    if (this.readyState === 1) {
      this.#send({ kind: 'ping' })
    }
  }

  pause(): void {
    this.isPaused = true
    this.#end.setReading(false)
  }

  resume(): void {
    this.isPaused = false
    this.#end.setReading(true)
  }

  close(code = 1005, reason = ''): void {
    if (this.readyState === 0) {
      this.terminate()
    }
    if (this.readyState !== 1) {
      return
    }
    this.readyState = 2
    this.#send({ kind: 'close', code, reason })
    this.#timers.push(this.#end.process.setTimeout(() => this.terminate(), closeTimeoutMs))
  }

  terminate(): void {
    if (this.readyState === 3 || this.#end.closed) {
      return
    }
    this.readyState = 2
    this.#end.close()
    this.#end.process.event(0.001, () => this.#closed())
  }

  received(message: unknown): void {
    const frame = message as Frame
    switch (frame.kind) {
      case 'upgrade':
        void this.#upgrade(frame.token)
        break
      case 'upgraded':
        if (this.readyState !== 0) {
          return
        }
        this.readyState = 1
        this.emit('open')
        break
      case 'refused':
        this.emit('unexpected-response', {}, { statusCode: frame.status })
        break
      case 'text':
        this.emit('message', Buffer.from(frame.text), false)
        break
      case 'ping':
        if (this.readyState === 1) {
          this.#send({ kind: 'pong' })
        }
        this.emit('ping')
        break
      case 'pong':
        this.emit('pong')
        break
      case 'close':
        this.#peerCloses(frame.code, frame.reason)
    }
  }

  ended(reset: boolean): void {
    if (reset) {
      this.emit('error', new Error('read ECONNRESET'))
    }
    this.readyState = 2
    this.#closed()
  }

  async #upgrade(token: string): Promise<void> {
    const status = (await this.#admit?.(token)) ?? 500
    if (this.#end.closed) {
      return
    }
    if (status !== 101) {
      this.#send({ kind: 'refused', status })
      this.#end.close()
      return
    }
    this.#send({ kind: 'upgraded' })
    this.readyState = 1
    this.emit('admitted', token)
  }

  #peerCloses(code: number, reason: string): void {
    this.#closeCode = code
    this.#closeReason = reason
    if (this.readyState === 1) {
      this.readyState = 2
      this.#send({ kind: 'close', code, reason })
    }
    // In production the server closes first; in the simulation the order makes no difference.
    this.#end.close()
    this.#end.process.event(0.001, () => this.#closed())
  }

  #closed(): void {
    if (this.readyState === 3) {
      return
    }
    this.readyState = 3
    for (const timer of this.#timers) {
      timer.cancel()
    }
    this.emit('close', this.#closeCode, Buffer.from(this.#closeReason))
  }

  #send(frame: Frame, left?: () => void): void {
    this.#end.send(frame, left)
  }
}
