/** Is told, synchronously, when the lease is out, and when it is there again. */
export interface LeaseListener {
  lost(): void
  regained(): void
}

/** This node's leave to let application bytes through. */
export interface Lease {
  /**
   * Whether a byte may pass now; the clock decides at each call. Ask before every write and before
   * acting on every message: timers come late in a process that was stopped for a while.
   */
  readonly held: boolean
  /** What is left of it, in milliseconds; 0 when it is out. */
  readonly leftMs: number
  /** Gives the function that ends it. */
  listen(listener: LeaseListener): () => void
}

/** The lease as the feed keeps it, on the monotonic clock. */
export class NodeLease implements Lease {
  readonly #listeners = new Set<LeaseListener>()
  #until = Number.NEGATIVE_INFINITY
  /** What the listeners were told last. */
  #told = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  get held(): boolean {
    return performance.now() < this.#until
  }

  get leftMs(): number {
    return Math.max(0, this.#until - performance.now())
  }

  listen(listener: LeaseListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Auth has granted it for `ttlMs`, counted from `sentAt`: before the renewal was sent, so that this
   * node gives up before auth, which began to count later, may call it fenced.
   */
  granted(sentAt: number, ttlMs: number): void {
    if (this.#closed) return
    // Out meanwhile, though no timer has had its turn to say so.
    if (!this.held) this.#tell(false)
    this.#until = Math.max(this.#until, sentAt + ttlMs)
    if (!this.held) return
    this.#tell(true)
    this.#timer ??= this.#arm()
  }

  /** Gives it up for good: nothing passes any more. */
  close(): void {
    this.#closed = true
    this.#until = Number.NEGATIVE_INFINITY
    clearTimeout(this.#timer)
    this.#listeners.clear()
  }

  #arm(): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timer = undefined
      if (this.held) this.#timer = this.#arm()
      else this.#tell(false)
    }, Math.ceil(this.leftMs))
    timer.unref()
    return timer
  }

  #tell(held: boolean): void {
    if (this.#told === held) return
    this.#told = held
    for (const listener of this.#listeners) {
      if (held) listener.regained()
      else listener.lost()
    }
  }
}
