/** A connection as the heartbeat sees it. */
export interface Beating {
  ping(): void
  /** Called `pongTimeoutMs` after each ping. */
  checkPong(): void
}

export interface HeartbeatOptions {
  pingIntervalMs: number
  /** Less than `pingIntervalMs`. */
  pongTimeoutMs: number
}

/**
 * Pings every connection once per interval with one timer. Connections are spread over slots; each
 * tick pings the members of one slot, and checks the pongs of an earlier slot.
 */
export class Heartbeat {
  readonly #slots: Set<Beating>[]
  readonly #pongTicks: number
  readonly #timer: NodeJS.Timeout
  #now = 0

  constructor({ pingIntervalMs, pongTimeoutMs }: HeartbeatOptions) {
    const count = Math.max(2, Math.min(100, Math.floor(pingIntervalMs / 20)))
    const tickMs = pingIntervalMs / count
    this.#slots = Array.from({ length: count }, () => new Set<Beating>())
    this.#pongTicks = Math.min(count - 1, Math.max(1, Math.ceil(pongTimeoutMs / tickMs)))
    this.#timer = setInterval(() => this.#tick(), tickMs)
    this.#timer.unref()
  }

  /** Pings a member within one interval, and then once per interval. Returns its slot, for `delete`. */
  add(member: Beating): number {
    const slot = Math.floor(Math.random() * this.#slots.length)
    this.#slots[slot]?.add(member)
    return slot
  }

  delete(member: Beating, slot: number): void {
    this.#slots[slot]?.delete(member)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    const count = this.#slots.length
    this.#now = (this.#now + 1) % count
    for (const member of this.#slots[this.#now] ?? []) {
      member.ping()
    }
    for (const member of this.#slots[(this.#now - this.#pongTicks + count) % count] ?? []) {
      member.checkPong()
    }
  }
}
