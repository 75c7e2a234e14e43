/** Least time between two measurements, in milliseconds. */
const everyMs = 50
/** After this time a publication that has not arrived is no longer awaited, in milliseconds. */
const maxAwaitMs = 10_000

interface Awaited {
  readonly channel: string
  readonly publication: Buffer
  readonly since: number
}

/**
 * Measures how long publications take from their entry on this node, through Redis, to this node's own
 * subscribers. Only some are measured, one at a time; the others cost a comparison. One clock is read, so the
 * result is exact whatever the clocks of machines say.
 */
export class DeliverySampler {
  readonly #observe: (ms: number) => void
  #awaited: Awaited | undefined
  #nextAt = 0

  constructor(observe: (ms: number) => void) {
    this.#observe = observe
  }

  /** Call when a publication enters on this node, for a channel that has subscribers on this node. */
  entered(channel: string, publication: Buffer): void {
    const now = performance.now()
    if (now < this.#nextAt) {
      return
    }
    if (this.#awaited === undefined || now - this.#awaited.since > maxAwaitMs) {
      this.#awaited = { channel, publication, since: now }
    }
  }

  /** Call when a publication has been given to this node's subscribers. */
  delivered(channel: string, publication: Buffer): void {
    const awaited = this.#awaited
    if (awaited?.channel === channel && awaited.publication.equals(publication)) {
      const now = performance.now()
      this.#awaited = undefined
      this.#nextAt = now + everyMs
      this.#observe(now - awaited.since)
    }
  }
}
