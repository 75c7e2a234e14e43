import type { NodeMessage } from '@portcullis/contracts/feed'
import type { FeedSocket } from './socket.js'

/** With more messages in the queue the socket is not read. */
const maxQueued = 16

/** A node's messages, handled one after another. */
export class MessageQueue {
  readonly #socket: Pick<FeedSocket, 'setReading'>
  readonly #handle: (message: NodeMessage) => Promise<void>
  #length = 0
  #handled: Promise<void> = Promise.resolve()

  /** @param handle - never rejects */
  constructor(
    socket: Pick<FeedSocket, 'setReading'>,
    handle: (message: NodeMessage) => Promise<void>,
  ) {
    this.#socket = socket
    this.#handle = handle
  }

  /** Resolves when every message added until now is handled. */
  get handled(): Promise<void> {
    return this.#handled
  }

  add(message: NodeMessage): void {
    this.#length += 1
    if (this.#length === maxQueued) {
      this.#socket.setReading(false)
    }
    this.#handled = this.#handled.then(async () => {
      await this.#handle(message)
      this.#length -= 1
      if (this.#length === maxQueued - 1) {
        this.#socket.setReading(true)
      }
    })
  }
}
