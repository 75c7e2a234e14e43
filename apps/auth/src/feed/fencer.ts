import { type FeedEnd, type Lease, partName } from '../registry/index.js'
import type { FeedRegistry } from './registry.js'

/** A fenced node that does not come back is removed from receipts after this. */
const forgetAfterMs = 24 * 60 * 60 * 1000

export interface FencerOptions {
  registry: Pick<FeedRegistry, 'readLeases' | 'fenceNode' | 'settleFenced' | 'forgetNode'>
  /** How often the leases are read, in milliseconds. */
  pollMs: number
  onFenced: (lease: Lease) => void
  /** The registry did not answer; the fencer tries again at its next poll. */
  onError: (error: unknown) => void
}

/** The last renewal that this process has read of a lease. */
interface SeenRenewal {
  partition: number
  /** The Redis that showed it. Another Redis may have lost a later renewal. */
  run: string
  renewedUs: number
  /** When this process read it first, on its monotonic clock. */
  since: number
}

/** Everything in a partition up to `us` was committed by `since`, on this process's monotonic clock. */
type Committed = FeedEnd & Pick<SeenRenewal, 'since'>

/** When this process knew first that the receipts of a fenced part are settled. */
type SettledFence = Pick<SeenRenewal, 'partition' | 'since'>

/** A lease whose part is fenced. */
type FencedLease = Lease & { fencedUs: number }

/**
 * Watches the leases of all nodes. Fences a node that has not renewed for its `fenceMs`, or that has
 * left a revocation unacknowledged that long. Every auth instance runs one. Two do no harm: the registry
 * fences only when what the fencer has read is still true.
 *
 * A node is never fenced too early. It counts its lease from before it sent a renewal; the registry
 * counted that renewal later, and this process read it later still. While a revocation waits for the
 * node, the registry counts no renewal that the node sent after the commit; this process read the commit
 * later.
 */
export class Fencer {
  readonly #options: FencerOptions
  /** By partition and part. */
  #seen = new Map<string, SeenRenewal>()
  /** By partition, oldest first; `us` rises. */
  #committed = new Map<number, Committed[]>()
  /** By partition, part and fence. */
  #settled = new Map<string, SettledFence>()
  #timer: NodeJS.Timeout | undefined
  #polling: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: FencerOptions) {
    this.#options = options
    this.#schedule()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#polling
  }

  #schedule(): void {
    if (this.#closed) {
      return
    }
    this.#timer = setTimeout(() => {
      this.#polling = this.#poll()
        .catch((error) => this.#options.onError(error))
        .then(() => this.#schedule())
    }, this.#options.pollMs)
  }

  async #poll(): Promise<void> {
    const { leases, ends, missing, error } = await this.#options.registry.readLeases()
    // After the answer: a renewal may have been counted while the question was on its way.
    const now = performance.now()
    for (const end of ends) {
      this.#noteCommitted({ ...end, since: now })
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
        await this.#afterFence({ ...lease, fencedUs }, known === undefined, now - since)
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
    this.#pruneCommitted(leases, now)
    const results = await Promise.allSettled(work)
    this.#seen = seen
    const failed = results.find((result) => result.status === 'rejected')
    // After a failure every fence is settled again.
    this.#settled = failed === undefined ? settled : new Map()
    if (failed !== undefined) {
      throw failed.reason
    }
    if (missing.length > 0) {
      throw error
    }
  }

  #noteCommitted(end: Committed): void {
    const known = this.#committed.get(end.partition) ?? []
    const last = known.at(-1)
    // A Redis that took over may assign a microsecond again that the other had assigned and lost.
    if (last === undefined || last.run !== end.run) {
      this.#committed.set(end.partition, [end])
    } else if (end.us > last.us) {
      known.push(end)
    }
  }

  /** Returns the greatest known microsecond up to which everything had been committed at `at`. */
  #committedUs(partition: number, at: number): number | undefined {
    return this.#committed.get(partition)?.findLast(({ since }) => since <= at)?.us
  }

  /** Drops the commits that are too old to be compared with any lease. */
  #pruneCommitted(leases: readonly Lease[], now: number): void {
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
    await this.#afterFence({ ...lease, fencedUs }, true, 0)
  }

  /** Settles the receipts of a fenced part that is new to this process, and forgets an old one. */
  async #afterFence(lease: FencedLease, isNew: boolean, sinceMs: number): Promise<void> {
    const { registry } = this.#options
    if (isNew) {
      await registry.settleFenced(lease)
    }
    // The process that has the name may come back; a process that lost its name will not.
    if (!lease.current || sinceMs > forgetAfterMs) {
      await registry.forgetNode(lease)
    }
  }
}
