import type { TagFilter } from '@portcullis/protocol'

/** Gives all who have the same filter one object of it, so that it is kept, and tried, once for all. */
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

  /** To be called once for each `share`, with what that gave. */
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
