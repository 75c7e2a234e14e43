import { type Codec, type Disconnect, disconnectCodes, type Encoded } from '@portcullis/protocol'
import type { Hold } from '../../hub/hold.js'
import type { Beating, Heartbeat } from './heartbeat.js'

/** A connection as its pulse sees it. */
export interface Pulsing {
  readonly codec: Codec
  readonly node: { readonly heartbeat: Heartbeat; readonly hold: Hold }
  send(message: Encoded): void
  end(disconnect: Disconnect): void
}

/** Pings one connected client, and ends its connection when no pong comes. */
export class Pulse implements Beating {
  readonly #connection: Pulsing
  readonly #slot: number
  #awaitingPong = false
  /** The lease was lost while a pong was awaited. Nothing was read meanwhile, so the pong may be late once. */
  #mayBeLate = false

  constructor(connection: Pulsing) {
    this.#connection = connection
    this.#slot = connection.node.heartbeat.add(this)
  }

  ping(): void {
    if (this.#awaitingPong || !this.#connection.node.hold.open) {
      return
    }
    this.#awaitingPong = true
    this.#connection.send(this.#connection.codec.ping)
  }

  checkPong(): void {
    // Without a lease nothing is read, so a pong may be waiting in the socket.
    if (!this.#awaitingPong || !this.#connection.node.hold.open) {
      return
    }
    if (this.#mayBeLate) {
      this.#mayBeLate = false
    } else {
      this.#connection.end(disconnectCodes.noPong)
    }
  }

  /** Handles the client's answer to a ping. A pong without a ping is a protocol error. */
  pong(): void {
    if (this.#awaitingPong) {
      this.#awaitingPong = false
    } else {
      this.#connection.end(disconnectCodes.badRequest)
    }
  }

  /** The node has its lease again, and reads again. */
  resume(): void {
    this.#mayBeLate = this.#awaitingPong
  }

  stop(): void {
    this.#connection.node.heartbeat.delete(this, this.#slot)
  }
}
