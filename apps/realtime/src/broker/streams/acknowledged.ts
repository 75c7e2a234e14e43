import type { StreamPosition } from '@portcullis/protocol'

export interface AcknowledgedOptions {
  /** Replicas that are behind by more than this are of no use. */
  forMs: number
  /** Offsets that are so far apart are of different masters. */
  leastJump: number
  now?: () => number
}

type Entry = readonly [channel: string, position: StreamPosition]

/**
 * What this node has published lately and Redis has acknowledged: of each stream the last, and the last
 * before another master took over. Redis acknowledges before its replicas have it, so the one that takes
 * over may not; then it is only here that somebody knows of it.
 */
export class Acknowledged {
  readonly #options: AcknowledgedOptions
  readonly #now: () => number
  #since: number
  #newer = new Map<string, StreamPosition>()
  #older = new Map<string, StreamPosition>()
  /** The last ones before a jump. */
  #before: Entry[] = []

  constructor(options: AcknowledgedOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#since = this.#now()
  }

  set(channel: string, position: StreamPosition): void {
    const last = this.#newer.get(channel) ?? this.#older.get(channel)
    if (last !== undefined && position.offset - last.offset >= this.#options.leastJump) {
      this.#before.push([channel, last])
    }
    this.#newer.set(channel, position)
  }

  get all(): readonly Entry[] {
    return [...this.#before, ...new Map([...this.#older, ...this.#newer])]
  }

  /** Redis has all of these, or has begun anew: those go that have been here for `forMs`. */
  confirm(entries: readonly Entry[]): void {
    this.#before = this.#before.filter((entry) => !entries.includes(entry))
    if (this.#now() - this.#since < this.#options.forMs) {
      return
    }
    this.#older = this.#newer
    this.#newer = new Map()
    this.#since = this.#now()
  }
}
