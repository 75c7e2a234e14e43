import type { TagFilter } from '@portcullis/protocol'

/** Returns one object for equal filters, so that each is stored and evaluated once. */
export class SharedFilters {
  readonly #byKey = new Map<string, { filter: TagFilter; uses: number }>()

  share(filter: TagFilter): TagFilter {
    const known = this.#byKey.get(filter.key)
    if (known === undefined) {
      this.#byKey.set(filter.key, { filter, uses: 1 })
      return filter
    }
    known.uses += 1
    return known.filter
  }

  /** Call once for each `share`, with the filter that it returned. */
  release({ key }: TagFilter): void {
    const known = this.#byKey.get(key)
    if (known === undefined) {
      return
    }
    known.uses -= 1
    if (known.uses === 0) {
      this.#byKey.delete(key)
    }
  }
}
