/** A node that answers nothing costs no more memory than this. */
const maxOpen = 64

/** Ids of inquiries that a node has been sent and has not answered; the oldest are dropped. */
export class OpenInquiries {
  readonly #ids = new Set<string>()

  add(id: string): void {
    this.#ids.add(id)
    const [oldest] = this.#ids
    if (this.#ids.size > maxOpen && oldest !== undefined) {
      this.#ids.delete(oldest)
    }
  }

  /** Removes an inquiry. Returns false when it was not open: not asked, or answered already. */
  close(id: string): boolean {
    return this.#ids.delete(id)
  }
}
