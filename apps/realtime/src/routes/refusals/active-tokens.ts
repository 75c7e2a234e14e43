/** Digests of credentials that were active at their last introspection; forgets the oldest. */
export class ActiveTokens {
  readonly #max: number
  readonly #digests = new Set<string>()

  constructor(max: number) {
    this.#max = max
  }

  has(digest: string): boolean {
    return this.#digests.has(digest)
  }

  add(digest: string): void {
    this.#digests.delete(digest)
    this.#digests.add(digest)
    if (this.#digests.size <= this.#max) {
      return
    }
    const [oldest] = this.#digests
    if (oldest !== undefined) {
      this.#digests.delete(oldest)
    }
  }

  delete(digest: string): void {
    this.#digests.delete(digest)
  }
}
