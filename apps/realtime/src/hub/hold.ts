import { closeCodes } from '@portcullis/contracts/websocket'
import type { Lease } from '@portcullis/gate'
import { drain } from './drain.js'
import type { Hub } from './hub.js'

/** Work that waits for the lease. */
export interface Waiting {
  resume(): void
}

/** A closed connection with bytes still in the process. */
export interface Closing {
  /** The node lost its lease: the bytes must stay in the process. */
  hold(): void
}

export interface HoldOptions {
  lease: Lease
  hub: Hub
  /** Time for which connections wait for the lease, in milliseconds, before they are closed. */
  graceMs: number
}

/**
 * Holds all connections of this node while it has no lease. Connections keep their input and output
 * back and register here. When the lease returns they resume; if it stays away for the grace period
 * they are closed with 4000, spread over half of that period, and reconnect to other nodes.
 */
export class Hold {
  readonly #options: HoldOptions
  readonly #waiting = new Set<Waiting>()
  readonly #closingSlowly = new Set<Closing>()
  #closing: AbortController | undefined
  #grace: NodeJS.Timeout | undefined
  readonly #stop: () => void

  constructor(options: HoldOptions) {
    this.#options = options
    this.#stop = options.lease.listen({
      lost: () => this.#lost(),
      regained: () => this.#regained(),
    })
  }

  /** True when application bytes may pass now. */
  get open(): boolean {
    return this.#options.lease.held
  }

  /** Resumes the item once when the lease returns, however often it was added. */
  add(item: Waiting): void {
    this.#waiting.add(item)
  }

  /** Forgets an item whose connection has closed. */
  delete(item: Waiting): void {
    this.#waiting.delete(item)
  }

  /** Adds a connection that left the hub with bytes still in the process. */
  addClosing(item: Closing): void {
    this.#closingSlowly.add(item)
  }

  /** Removes it: its bytes were sent or dropped. */
  deleteClosing(item: Closing): void {
    this.#closingSlowly.delete(item)
  }

  stop(): void {
    this.#stop()
    clearTimeout(this.#grace)
    this.#closing?.abort()
  }

  #lost(): void {
    const { hub, graceMs } = this.#options
    for (const member of [...hub.members(), ...this.#closingSlowly]) {
      member.hold()
    }
    clearTimeout(this.#grace)
    this.#grace = setTimeout(() => {
      this.#closing = new AbortController()
      void drain(hub, {
        overMs: graceMs / 2,
        disconnect: closeCodes.leaseLost,
        signal: this.#closing.signal,
      })
    }, graceMs)
    this.#grace.unref()
  }

  #regained(): void {
    clearTimeout(this.#grace)
    this.#closing?.abort()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const item of waiting) {
      item.resume()
    }
  }
}
