import { closeCodes } from '@portcullis/contracts/websocket'
import { drain } from './drain.js'
import type { Hub } from './hub.js'

/** This node's leave to let application bytes through; see the gate. */
export interface Lease {
  /** Decided by the clock at each call. */
  readonly held: boolean
  readonly leftMs: number
  listen(listener: { lost(): void; regained(): void }): () => void
}

/** Something that has kept back what it was to do while the lease was out. */
export interface Waiting {
  resume(): void
}

/** A connection that has closed, whose last bytes have not left the process. */
export interface Closing {
  /** Nothing may leave from here on. */
  hold(): void
}

export interface HoldOptions {
  lease: Lease
  hub: Hub
  /** How long connections wait for the lease, in milliseconds, before they are sent elsewhere. */
  graceMs: number
}

/**
 * What this node does without a lease. Each connection keeps back what would go out or come in, and
 * says so here. When the lease is there again everything goes on where it stopped; when it stays away
 * for the grace, connections are closed with 4000, spread over half of the grace, to come back elsewhere.
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

  /** Whether a byte of the application may pass now. */
  get open(): boolean {
    return this.#options.lease.held
  }

  /** To be resumed with the lease; once, however often it is added. */
  add(item: Waiting): void {
    this.#waiting.add(item)
  }

  /** It has closed. */
  delete(item: Waiting): void {
    this.#waiting.delete(item)
  }

  /** It is no member of the hub any more, and has bytes left. */
  addClosing(item: Closing): void {
    this.#closingSlowly.add(item)
  }

  /** Its bytes are gone, in whatever way. */
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
