/** What the heartbeat does to a connection. */
export interface Beating {
  ping(): void
  /** Called `pongTimeoutMs` after each ping. */
  checkPong(): void
}

export interface HeartbeatOptions {
  pingIntervalMs: number
  /** Less than the interval. */
  pongTimeoutMs: number
}

/**
 * Pings every connection once an interval, from one timer: connections are spread over slots, and
 * each tick pings the members of one slot and asks those of an earlier one for their pong.
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

  /** Starts to ping a connection, the first time within one interval. Gives the way to stop. */
  add(member: Beating): () => void {
    const slot = this.#slots[Math.floor(Math.random() * this.#slots.length)]
    slot?.add(member)
    return () => slot?.delete(member)
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
