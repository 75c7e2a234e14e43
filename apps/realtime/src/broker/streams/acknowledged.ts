import type { StreamPosition } from '@portcullis/protocol'

export interface AcknowledgedOptions {
  /**
   * Minimum time for which a position is kept, in milliseconds: longer than a usable replica lags.
   */
  forMs: number
  /** Offsets at least this far apart come from different masters. */
  minJump: number
  now?: () => number
}

type Entry = readonly [channel: string, position: StreamPosition]

/**
 * Positions that Redis acknowledged to this node lately: the last one of each stream, and the last
 * one before another master took over. Redis acknowledges before its replicas have the publication,
 * so a replica that takes over may lack it; then only this node still knows of it.
 */
export class Acknowledged {
  readonly #options: AcknowledgedOptions
  readonly #now: () => number
  #since: number
  #newer = new Map<string, StreamPosition>()
  #older = new Map<string, StreamPosition>()
  /** The last positions before a jump. */
  #beforeJump: Entry[] = []

  constructor(options: AcknowledgedOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#since = this.#now()
  }

  set(channel: string, position: StreamPosition): void {
    const last = this.#newer.get(channel) ?? this.#older.get(channel)
    if (last !== undefined && position.offset - last.offset >= this.#options.minJump) {
      this.#beforeJump.push([channel, last])
    }
    this.#newer.set(channel, position)
  }

  get all(): readonly Entry[] {
    return [...this.#beforeJump, ...new Map([...this.#older, ...this.#newer])]
  }

  /** Drops entries kept for `forMs`; Redis has them all, or has started a new epoch. */
  confirm(entries: readonly Entry[]): void {
    this.#beforeJump = this.#beforeJump.filter((entry) => !entries.includes(entry))
    if (this.#now() - this.#since < this.#options.forMs) {
      return
    }
    this.#older = this.#newer
    this.#newer = new Map()
    this.#since = this.#now()
  }
}
