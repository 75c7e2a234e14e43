import { type MachineClocks, machineClocks, SuspendDetector } from './suspend-detector.js'

/** How often a node that holds its lease looks whether its machine was suspended, in milliseconds. */
const lookMs = 50

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

/**
 * The lease as the feed keeps it, on the monotonic clock. That clock may stand still while the machine is
 * suspended: a suspend that is noticed ends the lease, whatever is left of it.
 */
export class NodeLease implements Lease {
  readonly #listeners = new Set<LeaseListener>()
  #until = Number.NEGATIVE_INFINITY
  /** What the listeners were told last. */
  #told = false
  #timer: NodeJS.Timeout | undefined
  #closed = false
  readonly #clocks: MachineClocks
  readonly #suspends: SuspendDetector
  /** When a suspend was noticed last: renewals that were sent before are worth nothing. */
  #givenUpAt = Number.NEGATIVE_INFINITY

  constructor(clocks: MachineClocks = machineClocks) {
    this.#clocks = clocks
    this.#suspends = new SuspendDetector(clocks)
  }

  get held(): boolean {
    const now = this.#clocks.monotonic()
    if (now >= this.#until) {
      return false
    }
    if (!this.#suspends.quickCheck(now)) {
      return true
    }
    this.#giveUp()
    // Not here: whoever asks is in the middle of a write, or of a command.
    setImmediate(() => this.#tellOut())
    return false
  }

  get leftMs(): number {
    // Before an effect nothing else asks whether the machine was suspended.
    return this.held ? Math.max(0, this.#until - this.#clocks.monotonic()) : 0
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
    if (this.#closed) {
      return
    }
    if (this.#suspends.check()) {
      this.#giveUp()
    }
    // Out meanwhile, though no timer has had its turn to say so.
    this.#tellOut()
    if (sentAt <= this.#givenUpAt) {
      return
    }
    this.#until = Math.max(this.#until, sentAt + ttlMs)
    if (!this.held) {
      return
    }
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
    const leftMs = Math.ceil(this.leftMs)
    const timer = setTimeout(
      () => {
        this.#timer = undefined
        if (this.#suspends.check()) {
          this.#giveUp()
        }
        if (this.held) {
          this.#timer = this.#arm()
        } else {
          this.#tellOut()
        }
      },
      this.#suspends.supported ? Math.min(leftMs, lookMs) : leftMs,
    )
    timer.unref()
    return timer
  }

  #giveUp(): void {
    this.#until = Number.NEGATIVE_INFINITY
    this.#givenUpAt = this.#clocks.monotonic()
  }

  #tellOut(): void {
    if (!this.held) {
      this.#tell(false)
    }
  }

  #tell(held: boolean): void {
    if (this.#told === held) {
      return
    }
    this.#told = held
    for (const listener of this.#listeners) {
      if (held) {
        listener.regained()
      } else {
        listener.lost()
      }
    }
  }
}
