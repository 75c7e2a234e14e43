/** Random numbers from a seed: the same numbers on every machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #count = 1

  /** Seeds sfc32 with FNV-1a hashes of the text. */
  constructor(seed: string) {
    let hash = 0x811c9dc5
    const word = (): number => {
      for (const byte of Buffer.from(seed)) {
        hash = Math.imul(hash ^ byte, 0x01000193)
      }
      return hash >>> 0
    }
    this.#a = word()
    this.#b = word()
    this.#c = word()
    for (let round = 0; round < 12; round++) {
      this.next()
    }
  }

  /** Returns a number from 0 (included) to 1 (excluded). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min)
  }

  /** Returns a whole number; both bounds are included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)]
    if (item === undefined) {
      throw new Error('nothing to pick from')
    }
    return item
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.whole(0, 255)))
  }
}
