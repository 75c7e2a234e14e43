import { type FeedEnd, type Lease, partName } from '../registry/index.js'
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
  /** Another Redis may have lost a renewal that came after the one it shows. */
  run: string
  renewedUs: number
  /** When that had been read, on this process's monotonic clock. */
  since: number
}

/** Everything committed in a partition up to `us` had been committed at `since`, on the same clock. */
type Committed = FeedEnd & Pick<Seen, 'since'>

/** Since when a fence is known to be settled. */
type Settled = Pick<Seen, 'partition' | 'since'>

/**
 * Watches the leases of all nodes, and fences a node that has not renewed for its `fenceMs`, or that
 * has left a revocation unacknowledged for so long. Every auth instance has one; none needs another, and
 * two do no harm: a fence holds only if what was seen is still so.
 *
 * Why a node is never fenced too early: it counts its lease from before it sent a renewal. The registry
 * counted that one later, and this has read it later still. And while a revocation waits for the node,
 * the registry counts no renewal that the node sent after the commit; this has read the commit later.
 */
export class Fencer {
  readonly #options: FencerOptions
  /** By partition and part. */
  #seen = new Map<string, Seen>()
  /** By partition, oldest first; in each, `us` rises. */
  #committed = new Map<number, Committed[]>()
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
    if (this.#closed) {
      return
    }
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch((error) => this.#options.onError(error))
        .then(() => this.#next())
    }, this.#options.pollMs)
  }

  async #look(): Promise<void> {
    const { leases, ends, missing, error } = await this.#options.registry.readLeases()
    // After the answer: a renewal may have been counted while the question was on its way.
    const now = performance.now()
    for (const end of ends) {
      this.#note({ ...end, since: now })
    }
    // Keep what we know about partitions that did not answer.
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
      const same =
        known?.renewedUs === lease.renewedUs && known.run === lease.run ? known : undefined
      const { partition, run, renewedUs, waitingUs } = lease
      seen.set(key, same ?? { partition, run, renewedUs, since: now })
      const overdueUs = this.#committedUs(partition, now - lease.fenceMs)
      if (same !== undefined && now - same.since >= lease.fenceMs) {
        await this.#fence(lease)
      } else if (waitingUs !== undefined && overdueUs !== undefined && waitingUs <= overdueUs) {
        await this.#fence(lease, overdueUs)
      }
    })
    this.#prune(leases, now)
    const results = await Promise.allSettled(work)
    this.#seen = seen
    const failed = results.find((result) => result.status === 'rejected')
    // What is not settled for certain is looked at again.
    this.#settled = failed === undefined ? settled : new Map()
    if (failed !== undefined) {
      throw failed.reason
    }
    if (missing.length > 0) {
      throw error
    }
  }

  #note(end: Committed): void {
    const known = this.#committed.get(end.partition) ?? []
    const last = known.at(-1)
    // Another Redis may give a lost microsecond again.
    if (last === undefined || last.run !== end.run) {
      this.#committed.set(end.partition, [end])
    } else if (end.us > last.us) {
      known.push(end)
    }
  }

  /** The microsecond up to which everything had been committed at `at`, as far as that is known. */
  #committedUs(partition: number, at: number): number | undefined {
    return this.#committed.get(partition)?.findLast(({ since }) => since <= at)?.us
  }

  /** Forgets what no lease of a partition needs to be compared with. */
  #prune(leases: readonly Lease[], now: number): void {
    const from = now - Math.max(0, ...leases.map(({ fenceMs }) => fenceMs))
    for (const known of this.#committed.values()) {
      known.splice(
        0,
        known.findLastIndex(({ since }) => since <= from),
      )
    }
  }

  async #fence(lease: Lease, overdueUs?: number): Promise<void> {
    const fencedUs = await this.#options.registry.fenceNode(lease, overdueUs)
    if (fencedUs === undefined) {
      return
    }
    this.#options.onFenced(lease)
    await this.#fenced({ ...lease, fencedUs }, true, 0)
  }

  async #fenced(
    lease: Lease & { fencedUs: number },
    isNew: boolean,
    sinceMs: number,
  ): Promise<void> {
    const { registry } = this.#options
    if (isNew) {
      await registry.settleFenced(lease)
    }
    // The process that has the name may come back; one that has lost it will not.
    if (!lease.current || sinceMs > forgetAfterMs) {
      await registry.forgetNode(lease)
    }
  }
}
