/**
 * Waits between retries: doubles from `firstMs` to `maxMs`, and shortens each wait at random by up to half,
 * so that a fleet does not reconnect in the same instant.
 */
export class Backoff {
  readonly #firstMs: number
  readonly #maxMs: number
  #tries = 0

  constructor(firstMs: number, maxMs: number) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
  }

  /** Returns the next wait in milliseconds. */
  next(): number {
    const full = Math.min(this.#firstMs * 2 ** this.#tries, this.#maxMs)
    this.#tries = Math.min(this.#tries + 1, 30)
    return full * (0.5 + Math.random() / 2)
  }

  reset(): void {
    this.#tries = 0
  }
}

/** Returns a wait of 75 % to 125 % of `ms`, at random. */
export function spread(ms: number): number {
  return ms * (0.75 + Math.random() / 2)
}
