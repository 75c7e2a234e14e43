/** How fast a client may send, for as long as it likes; and how much of that at once. */
export interface Rates {
  commandsPerSecond: number
  bytesPerSecond: number
  /** What these many seconds allow may come in one moment. */
  burstSeconds: number
}

/**
 * What one connection may still send: a token bucket for commands and one for bytes, and a third for
 * what was refused. Each is the one moment at which it is full again (the generic cell rate algorithm),
 * so there is nothing to refill, and no timer. The clock is monotonic.
 */
export class Allowance {
  readonly #rates: Rates
  #commandsFullAt = 0
  #bytesFullAt = 0
  #refusalsFullAt = 0

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
    const commandsMs = commands * commandMs
    const bytesMs = (bytes * 1000) / bytesPerSecond
    if (this.#commandsFullAt + commandMs <= latest && this.#bytesFullAt < latest) {
      this.#commandsFullAt = Math.max(now, this.#commandsFullAt) + commandsMs
      this.#bytesFullAt = Math.max(now, this.#bytesFullAt) + bytesMs
      return 'within'
    }
    const refused = Math.max(commandsMs, bytesMs)
    this.#refusalsFullAt = Math.max(now, this.#refusalsFullAt) + refused
    return this.#refusalsFullAt <= latest ? 'over' : 'flood'
  }
}
