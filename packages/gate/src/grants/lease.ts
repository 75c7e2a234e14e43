import { type MachineClocks, machineClocks, SuspendDetector } from './suspend-detector.js'

/** How often a node that holds its lease checks for a suspend of the machine, in milliseconds. */
const suspendCheckMs = 50

/** Called synchronously when the lease runs out, and when it is granted again. */
export interface LeaseListener {
  lost(): void
  regained(): void
}

/** This node's permission to deliver application bytes. */
export interface Lease {
  /**
   * True if a byte may pass now. Compares the clock at each call. Check it before every write and before
   * acting on every message: in a process that was stopped, timers fire late.
   */
  readonly held: boolean
  /** The rest of the lease, in milliseconds; 0 when it is out. */
  readonly leftMs: number
  /** Returns a function that removes the listener. */
  listen(listener: LeaseListener): () => void
}

/**
 * The lease that the feed renews, on the monotonic clock. That clock may stand still while the machine is
 * suspended, so a detected suspend ends the lease.
 */
export class NodeLease implements Lease {
  readonly #listeners = new Set<LeaseListener>()
  #until = Number.NEGATIVE_INFINITY
  /** The state that the listeners know. */
  #reported = false
  #timer: NodeJS.Timeout | undefined
  #closed = false
  readonly #clocks: MachineClocks
  readonly #suspends: SuspendDetector
  /** When a suspend was last detected. Renewals sent earlier do not count. */
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
    // Later, since the caller is in the middle of a write or of a command.
    setImmediate(() => this.#reportIfOut())
    return false
  }

  get leftMs(): number {
    // `held` also checks for a suspend; before an effect nothing else does.
    return this.held ? Math.max(0, this.#until - this.#clocks.monotonic()) : 0
  }

  listen(listener: LeaseListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes a lease of `ttlMs` that auth has granted. It counts from `sentAt`, before the renewal was sent:
   * auth counts from when the renewal arrived, so this node gives up before auth may fence it.
   */
  granted(sentAt: number, ttlMs: number): void {
    if (this.#closed) {
      return
    }
    if (this.#suspends.check()) {
      this.#giveUp()
    }
    // The old lease may have run out before a timer could report it.
    this.#reportIfOut()
    if (sentAt <= this.#givenUpAt) {
      return
    }
    this.#until = Math.max(this.#until, sentAt + ttlMs)
    if (!this.held) {
      return
    }
    this.#report(true)
    this.#timer ??= this.#arm()
  }

  /** Ends the lease; later renewals do not count. */
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
          this.#reportIfOut()
        }
      },
      this.#suspends.supported ? Math.min(leftMs, suspendCheckMs) : leftMs,
    )
    timer.unref()
    return timer
  }

  #giveUp(): void {
    this.#until = Number.NEGATIVE_INFINITY
    this.#givenUpAt = this.#clocks.monotonic()
  }

  #reportIfOut(): void {
    if (!this.held) {
      this.#report(false)
    }
  }

  #report(held: boolean): void {
    if (this.#reported === held) {
      return
    }
    this.#reported = held
    for (const listener of this.#listeners) {
      if (held) {
        listener.regained()
      } else {
        listener.lost()
      }
    }
  }
}
