import { type Lease, partName } from '../registry/index.js'
import type { FeedRegistry } from './registry.js'

/** A fenced node that does not come back is listed in receipts for so long, then forgotten. */
const forgetAfterMs = 24 * 60 * 60 * 1000

export interface FencerOptions {
  registry: Pick<FeedRegistry, 'readLeases' | 'fenceNode' | 'settleFenced' | 'forgetNode'>
  pollMs: number
  onFenced: (lease: Lease) => void
  /** The registry did not answer; the fencer looks again. */
  onError: (error: unknown) => void
}

interface Seen {
  partition: number
  /** Another Redis may have lost a renewal that came after the count it shows. */
  run: string
  renewals: number
  /** When that count had been read, on this process's monotonic clock. */
  since: number
}

/** Since when a fence is known to be settled. */
type Settled = Pick<Seen, 'partition' | 'since'>

/**
 * Watches the leases of all nodes, and fences a node whose count of renewals has stood still for its
 * `fenceMs`. Every auth instance has one; none needs another, and two do no harm: a fence holds only
 * if the count is still the one that was seen.
 *
 * Why a node is never fenced too early: it counts its lease from before it sent a renewal; the
 * registry counted that one later, and this has read the count later still.
 */
export class Fencer {
  readonly #options: FencerOptions
  /** By partition and part. */
  #seen = new Map<string, Seen>()
  /** Fenced parts whose receipts are settled, by partition, part and fence; with when, as `Seen`. */
  #settled = new Map<string, Settled>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: FencerOptions) {
    this.#options = options
    this.#next()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  #next(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch((error) => this.#options.onError(error))
        .then(() => this.#next())
    }, this.#options.pollMs)
  }

  async #look(): Promise<void> {
    const { leases, missing, error } = await this.#options.registry.readLeases()
    // After the answer: a renewal may have been counted while the question was on its way.
    const now = performance.now()
    // Of a partition that did not answer what is known stays known.
    const kept = <One extends { partition: number }>(all: ReadonlyMap<string, One>) =>
      new Map([...all].filter(([, { partition }]) => missing.includes(partition)))
    const seen = kept(this.#seen)
    const settled = kept(this.#settled)
    const work = leases.map(async (lease) => {
      const key = `${lease.partition} ${partName(lease)}`
      const { fencedUs } = lease
      if (fencedUs !== undefined) {
        const fence = `${key} ${fencedUs}`
        const known = this.#settled.get(fence)
        const since = known?.since ?? now
        settled.set(fence, { partition: lease.partition, since })
        await this.#fenced({ ...lease, fencedUs }, known === undefined, now - since)
        return
      }
      const known = this.#seen.get(key)
      const same = known?.renewals === lease.renewals && known.run === lease.run ? known : undefined
      const { partition, run, renewals } = lease
      seen.set(key, same ?? { partition, run, renewals, since: now })
      if (same !== undefined && now - same.since >= lease.fenceMs) await this.#fence(lease)
    })
    const results = await Promise.allSettled(work)
    this.#seen = seen
    const failed = results.find((result) => result.status === 'rejected')
    // What is not settled for certain is looked at again.
    this.#settled = failed === undefined ? settled : new Map()
    if (failed !== undefined) throw failed.reason
    if (missing.length > 0) throw error
  }

  async #fence(lease: Lease): Promise<void> {
    const fencedUs = await this.#options.registry.fenceNode(lease)
    if (fencedUs === undefined) return
    this.#options.onFenced(lease)
    await this.#fenced({ ...lease, fencedUs }, true, 0)
  }

  async #fenced(
    lease: Lease & { fencedUs: number },
    isNew: boolean,
    sinceMs: number,
  ): Promise<void> {
    const { registry } = this.#options
    if (isNew) await registry.settleFenced(lease)
    // The process that has the name may come back; one that has lost it will not.
    if (!lease.current || sinceMs > forgetAfterMs) await registry.forgetNode(lease)
  }
}
