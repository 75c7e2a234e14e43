/** The rates at which one sender may send, and the size of a burst. */
export interface Rates {
  commandsPerSecond: number
  bytesPerSecond: number
  /** A burst may have what the rates allow in this many seconds. */
  burstSeconds: number
}

/**
 * The rate limits of one sender: token buckets for commands, for bytes sent, for bytes read, and for
 * refusals. Each bucket is the moment at which it will be full again (the generic cell rate algorithm),
 * so no timer refills it. The clock is monotonic.
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
   * Judges one message as a whole. A message that begins within the limits may exceed them, so that a
   * client can send the largest allowed message.
   *
   * @returns `flood` when more is refused than allowed
   */
  judge(bytes: number, commands: number, now = performance.now()): 'within' | 'over' | 'flood' {
    const { commandsPerSecond, bytesPerSecond, burstSeconds } = this.#rates
    const limit = now + burstSeconds * 1000
    const commandMs = 1000 / commandsPerSecond
    if (this.#commandsFullAt + commandMs <= limit && this.#bytesFullAt < limit) {
      this.charge(bytes, commands, now)
      return 'within'
    }
    const refused = Math.max(commands * commandMs, (bytes * 1000) / bytesPerSecond)
    this.#refusalsFullAt = Math.max(now, this.#refusalsFullAt) + refused
    return this.#refusalsFullAt <= limit ? 'over' : 'flood'
  }

  /** Charges a cost that was not known when the message was judged. */
  charge(bytes: number, commands: number, now = performance.now()): void {
    const { commandsPerSecond, bytesPerSecond } = this.#rates
    this.#commandsFullAt =
      Math.max(now, this.#commandsFullAt) + (commands * 1000) / commandsPerSecond
    this.#bytesFullAt = Math.max(now, this.#bytesFullAt) + (bytes * 1000) / bytesPerSecond
  }

  /** Returns true when more may be read. A read is charged once its size is known. */
  mayRead(now = performance.now()): boolean {
    return this.#readsFullAt < now + this.#rates.burstSeconds * 1000
  }

  /** Charges bytes of histories or presence, at the rate of sent bytes. */
  chargeRead(bytes: number, now = performance.now()): void {
    const bytesMs = (bytes * 1000) / this.#rates.bytesPerSecond
    this.#readsFullAt = Math.max(now, this.#readsFullAt) + bytesMs
  }

  /** Returns the milliseconds until a command is within the limits, and more may be read. */
  waitMs(now = performance.now()): number {
    const { commandsPerSecond, burstSeconds } = this.#rates
    const fullAt = Math.max(
      this.#commandsFullAt + 1000 / commandsPerSecond,
      this.#bytesFullAt,
      this.#readsFullAt,
    )
    return Math.max(0, fullAt - burstSeconds * 1000 - now)
  }

  /** Returns true when all buckets are full, as in a new allowance. */
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
