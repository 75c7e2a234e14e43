/** Called when it is the upgrade's turn. */
export type Turn = () => void

/**
 * Upgrades that wait for their turn. Addresses take turns, so an address with many upgrades does not
 * delay those of others; the upgrades of one address keep their order.
 */
export class WaitingUpgrades {
  readonly #max: number
  /** By address, in the order of the turns. */
  readonly #byAddress = new Map<string, Set<Turn>>()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  /**
   * Returns true if one more upgrade of the address may wait. In the second half of the places only
   * addresses with no more than the average may, so that one address cannot take them all.
   */
  hasPlaceFor(address: string): boolean {
    if (this.#size < this.#max / 2) {
      return true
    }
    const own = this.#byAddress.get(address)?.size ?? 0
    return this.#size < this.#max && own <= this.#size / Math.max(1, this.#byAddress.size)
  }

  add(address: string, turn: Turn): void {
    const same = this.#byAddress.get(address)
    if (same === undefined) {
      this.#byAddress.set(address, new Set([turn]))
    } else {
      same.add(turn)
    }
    this.#size++
  }

  remove(address: string, turn: Turn): void {
    const same = this.#byAddress.get(address)
    if (same === undefined || !same.delete(turn)) {
      return
    }
    this.#size--
    if (same.size === 0) {
      this.#byAddress.delete(address)
    }
  }

  /** Calls the next turn, if an upgrade waits. */
  next(): void {
    const [first] = this.#byAddress
    if (first === undefined) {
      return
    }
    const [address, turns] = first
    const [turn] = turns
    if (turn === undefined) {
      return
    }
    this.remove(address, turn)
    if (turns.size > 0) {
      // To the end of the turns.
      this.#byAddress.delete(address)
      this.#byAddress.set(address, turns)
    }
    turn()
  }
}
