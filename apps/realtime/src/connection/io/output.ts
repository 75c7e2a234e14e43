import { closeCodes } from '@portcullis/contracts/websocket'
import type { Codec, Disconnect, Encoded } from '@portcullis/protocol'
import type { Hold, Waiting } from '../../hub/hold.js'
import type { Flushable, FlushQueue } from '../timing/flush-queue.js'
import type { Traffic } from '../traffic.js'
import { Outbox } from './outbox.js'
import type { Transport } from './transport.js'

/** Output above this size leaves before the end of the tick, so that a burst does not look like a slow reader. */
const earlyFlushBytes = 65_536

/** A connection as its output sees it. */
export interface OutputSource extends Waiting {
  readonly codec: Codec
  readonly node: {
    readonly traffic: Pick<Traffic, 'sentBytes'>
    readonly flushQueue: FlushQueue
    readonly hold: Hold
    readonly limits: { readonly sendBufferBytes: number }
  }
  readonly closed: boolean
  /** True while output must wait, to follow the reply to `connect`. */
  readonly awaitsReply: boolean
  end(disconnect: Disconnect): void
  /** Closes the connection, because the peer reads too slowly. */
  slow(): void
  readonly subscriptions: {
    /** Called when all output has left the process. */
    drained(): void
  }
}

/** The output of one connection. What is sent in one turn of the event loop leaves in one write. */
export class Output implements Flushable {
  readonly #source: OutputSource
  readonly #transport: Transport
  readonly #outbox: Outbox
  #inFlushQueue = false

  constructor(source: OutputSource, transport: Transport) {
    this.#source = source
    this.#transport = transport
    this.#outbox = new Outbox(source.codec)
  }

  /** True while output has not left the process. */
  get waits(): boolean {
    return this.#outbox.bytes > 0 || this.#transport.backlog() > 0
  }

  send(message: Encoded): void {
    this.#outbox.add(message)
    this.#flushSoon()
  }

  /** Sends a message before everything that waits. */
  sendFirst(message: Encoded): void {
    this.#outbox.addFirst(message)
    this.#flushSoon()
  }

  /** Sends a whole WebSocket frame that other connections get too. */
  sendFrame(frame: Buffer): void {
    this.#outbox.addFrame(frame)
    this.#flushSoon()
  }

  clear(): void {
    this.#outbox.clear()
  }

  /** Called by the flush queue at the end of this turn of the event loop. */
  flush(): void {
    this.#inFlushQueue = false
    this.write()
  }

  write(): void {
    if (this.#source.closed || this.#outbox.bytes === 0 || !this.#mayWrite()) {
      return
    }
    const frames = this.#outbox.take()
    const { traffic } = this.#source.node
    for (const frame of frames) {
      traffic.sentBytes += frame.length
    }
    this.#transport.write(frames)
    const backlog = this.#transport.backlog()
    if (backlog === 0) {
      this.#source.subscriptions.drained()
    } else if (backlog > this.#source.node.limits.sendBufferBytes) {
      this.#source.slow()
    }
  }

  #mayWrite(): boolean {
    const { awaitsReply, node } = this.#source
    const tooMuch = this.#outbox.bytes > node.limits.sendBufferBytes
    if (awaitsReply) {
      if (tooMuch) {
        this.#source.slow()
      }
      return false
    }
    if (!node.hold.open) {
      node.hold.add(this.#source)
      if (tooMuch) {
        this.#source.end(closeCodes.leaseLost)
      }
      return false
    }
    return true
  }

  #flushSoon(): void {
    if (this.#outbox.bytes >= earlyFlushBytes) {
      this.write()
    } else if (!this.#inFlushQueue) {
      this.#inFlushQueue = true
      this.#source.node.flushQueue.add(this)
    }
  }
}
