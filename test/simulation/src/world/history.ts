/** A readable log of one seed. Kept on request only, since a seed can be played again. */
export class History {
  readonly #lines: string[] | undefined
  /** How often each kind of event happened: shows what a set of seeds covers. */
  readonly counts = new Map<string, number>()

  constructor(kept: boolean) {
    this.#lines = kept ? [] : undefined
  }

  note(atMs: number, who: string, what: string | (() => string)): void {
    if (this.#lines === undefined) {
      return
    }
    const text = typeof what === 'string' ? what : what()
    this.#lines.push(`${atMs.toFixed(3).padStart(10)}  ${who.padEnd(12)}  ${text}`)
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  /** One line per event: time in milliseconds, process, text. */
  get lines(): readonly string[] {
    return this.#lines ?? []
  }
}
