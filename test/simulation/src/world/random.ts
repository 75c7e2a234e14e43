/** Random numbers from a seed: the same seed gives the same numbers, on any machine. */
export class Random {
  #a: number
  #b: number
  #c: number
  #count = 1

  /** sfc32, its state filled from the text by FNV-1a. */
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

  /** From 0 up to and without 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  /** A whole number; both ends are possible. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
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
