/** Waits between tries: doubling from `firstMs` to `mostMs`, each shortened at random by up to half. */
export class Backoff {
  readonly #firstMs: number
  readonly #mostMs: number
  #tries = 0

  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs
    this.#mostMs = mostMs
  }

  /** The next wait in milliseconds. The jitter keeps a fleet from coming back in the same instant. */
  next(): number {
    const full = Math.min(this.#firstMs * 2 ** this.#tries, this.#mostMs)
    this.#tries = Math.min(this.#tries + 1, 30)
    return full * (0.5 + Math.random() / 2)
  }

  reset(): void {
    this.#tries = 0
  }
}
