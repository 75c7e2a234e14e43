/**
 * A map in which most instances have at most one entry. The first entry is kept in fields, because an
 * empty `Map` takes about 400 bytes.
 */
export class SmallMap<Key, Value> {
  #key: Key | undefined
  #value: Value | undefined
  /** All entries, once there were two. */
  #map: Map<Key, Value> | undefined

  get size(): number {
    if (this.#map !== undefined) {
      return this.#map.size
    }
    return this.#value === undefined ? 0 : 1
  }

  get(key: Key): Value | undefined {
    if (this.#map !== undefined) {
      return this.#map.get(key)
    }
    return this.#key === key ? this.#value : undefined
  }

  set(key: Key, value: Value): void {
    if (this.#map !== undefined) {
      this.#map.set(key, value)
    } else if (this.#key === undefined || this.#value === undefined || this.#key === key) {
      this.#key = key
      this.#value = value
    } else {
      this.#map = new Map([
        [this.#key, this.#value],
        [key, value],
      ])
      this.#key = undefined
      this.#value = undefined
    }
  }

  delete(key: Key): void {
    if (this.#map !== undefined) {
      this.#map.delete(key)
      if (this.#map.size === 0) {
        this.#map = undefined
      }
    } else if (this.#key === key) {
      this.#key = undefined
      this.#value = undefined
    }
  }

  /** Returns a copy. */
  entries(): [Key, Value][] {
    if (this.#map !== undefined) {
      return [...this.#map]
    }
    return this.#key === undefined || this.#value === undefined ? [] : [[this.#key, this.#value]]
  }
}
