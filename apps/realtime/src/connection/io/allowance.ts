/** How fast a client may send, for as long as it likes; and how much of that at once. */
export interface Rates {
  commandsPerSecond: number
  bytesPerSecond: number
  /** What these many seconds allow may come in one moment. */
  burstSeconds: number
}

/**
 * What one sender may still send and read: a token bucket for commands, one for bytes that are sent,
 * one for bytes that are read, and one for what was refused. Each is the one moment at which it is full again (the generic cell rate algorithm),
 * so there is nothing to refill, and no timer. The clock is monotonic.
 */
export class Allowance {
  readonly #rates: Rates
  #commandsFullAt = 0
  #bytesFullAt = 0
  #refusalsFullAt = 0
  #readsFullAt = 0

  constructor(rates: Rates) {
    this.#rates = rates
  }

  /**
   * Judges one message, which is taken as a whole or not at all: one that begins within the limits may
   * go beyond them, so that whatever a client may send at all it can send some time.
   *
   * @returns `flood` for a client that is refused more than it is allowed
   */
  judge(bytes: number, commands: number, now = performance.now()): 'within' | 'over' | 'flood' {
    const { commandsPerSecond, bytesPerSecond, burstSeconds } = this.#rates
    const latest = now + burstSeconds * 1000
    const commandMs = 1000 / commandsPerSecond
    if (this.#commandsFullAt + commandMs <= latest && this.#bytesFullAt < latest) {
      this.charge(bytes, commands, now)
      return 'within'
    }
    const refused = Math.max(commands * commandMs, (bytes * 1000) / bytesPerSecond)
    this.#refusalsFullAt = Math.max(now, this.#refusalsFullAt) + refused
    return this.#refusalsFullAt <= latest ? 'over' : 'flood'
  }

  /** Charges what could not be known when it was judged. */
  charge(bytes: number, commands: number, now = performance.now()): void {
    const { commandsPerSecond, bytesPerSecond } = this.#rates
    this.#commandsFullAt =
      Math.max(now, this.#commandsFullAt) + (commands * 1000) / commandsPerSecond
    this.#bytesFullAt = Math.max(now, this.#bytesFullAt) + (bytes * 1000) / bytesPerSecond
  }

  /** Whether more may be read; a read is charged when its size is known. */
  mayRead(now = performance.now()): boolean {
    return this.#readsFullAt < now + this.#rates.burstSeconds * 1000
  }

  /** Charges bytes that were read: of histories, of presence. At the same rate as bytes that are sent. */
  chargeRead(bytes: number, now = performance.now()): void {
    const bytesMs = (bytes * 1000) / this.#rates.bytesPerSecond
    this.#readsFullAt = Math.max(now, this.#readsFullAt) + bytesMs
  }

  /** Milliseconds until another command would be taken, and more may be read. */
  waitMs(now = performance.now()): number {
    const { commandsPerSecond, burstSeconds } = this.#rates
    const fullAt = Math.max(
      this.#commandsFullAt + 1000 / commandsPerSecond,
      this.#bytesFullAt,
      this.#readsFullAt,
    )
    return Math.max(0, fullAt - burstSeconds * 1000 - now)
  }

  /** Whether nothing is used up: a new one would allow the same. */
  isFull(now = performance.now()): boolean {
    const fullAt = [
      this.#commandsFullAt,
      this.#bytesFullAt,
      this.#readsFullAt,
      this.#refusalsFullAt,
    ]
    return Math.max(...fullAt) <= now
  }
}
