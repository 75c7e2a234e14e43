import { setMaxListeners } from 'node:events'
import {
  type Lease,
  type MachineClocks,
  machineClocks,
  SuspendDetector,
  type Watch,
} from '@portcullis/gate/grants'
import type { FeedRead } from '../../registry/index.js'
import { Wakeup } from '../../wakeup.js'
import { AppliedEvents } from './applied-events.js'
import { PartitionLease, type PartitionLeaseContext } from './partition-lease.js'
import type { OwnPartRegistry } from './registry.js'

export interface OwnPartOptions {
  registry: OwnPartRegistry
  /** The grants of this process's callers. */
  watch: Watch
  /** Where the tail starts to read. */
  cursor: string
  /** How long a lease lasts, in milliseconds. */
  ttlMs: number
  onError: (error: unknown) => void
  /** Default: the clocks of the machine. */
  clocks?: MachineClocks
}

/**
 * This auth process as a part of receipts. It acts for callers, so it does what a node does: it applies
 * each revocation to the grants of its callers, acknowledges it when no effect of a covered caller is
 * in flight, and acts only while it holds a lease.
 *
 * Each partition has a lease of its own. A caller depends on the lease of its own partition alone, so
 * callers of the other partitions are served while one partition is away.
 */
export class OwnPart {
  readonly #options: OwnPartOptions
  readonly #closing = new AbortController()
  readonly #changed = new Wakeup()
  readonly #events: AppliedEvents
  readonly #leases: readonly PartitionLease[]
  #renewing: Promise<unknown> = Promise.resolve()

  constructor(options: OwnPartOptions) {
    const { registry, cursor, ttlMs, onError, clocks = machineClocks } = options
    this.#options = options
    // Each partition waits on it.
    setMaxListeners(0, this.#closing.signal)
    this.#events = new AppliedEvents(cursor)
    const context: PartitionLeaseContext = {
      registry,
      events: this.#events,
      changed: this.#changed,
      closing: this.#closing.signal,
      clocks,
      suspends: new SuspendDetector(clocks),
      onSuspend: () => this.#giveUpLeases(),
      ttlMs,
      onError,
    }
    this.#leases = Array.from(
      { length: registry.partitions },
      (_, partition) => new PartitionLease(partition, context),
    )
  }

  /** Returns the lease that callers of a partition depend on. */
  lease(partition: number): Pick<Lease, 'held' | 'leftMs'> {
    return this.#leases[partition] ?? { held: false, leftMs: 0 }
  }

  /** Why this process cannot act for every caller; undefined when it can. */
  get problem(): string | undefined {
    return this.#leases.every(({ held }) => held) ? undefined : 'no lease from the registry'
  }

  /**
   * Joins every partition, and renews its lease from then on. Resolves when every lease is held, or
   * after `maxWaitMs`.
   *
   * @throws RegistryError `registry_unavailable`
   */
  async start(maxWaitMs: number): Promise<void> {
    const { registry, watch } = this.#options
    await Promise.all(this.#leases.map((_, partition) => registry.join(partition)))
    watch.synced()
    this.#renewing = Promise.all(this.#leases.map((lease) => lease.keepRenewing()))
    await this.#until(() => this.problem === undefined, maxWaitMs)
  }

  /** Applies events of the tail. */
  onEvents({ cursor, revocations }: FeedRead): void {
    const { watch } = this.#options
    watch.apply(revocations)
    this.#add(cursor, watch.effectsOver())
  }

  /** Handles a gap in the tail: ends every grant, since revocations may have been missed. */
  onLost(cursor: string): void {
    const { watch } = this.#options
    watch.interrupted()
    watch.endAll()
    for (const lease of this.#leases) {
      lease.forgetAcks()
    }
    this.#add(cursor, watch.effectsOver({ all: true }))
    watch.synced()
  }

  /**
   * Resolves when this process has acknowledged the revocations of a partition up to a microsecond, or
   * after `maxWaitMs`.
   */
  async acknowledged(partition: number, us: number, maxWaitMs: number): Promise<void> {
    await this.#until(() => (this.#leases[partition]?.ackedUs ?? 0) >= us, maxWaitMs)
  }

  /** Leaves the receipts. To be called when every request has been answered. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#giveUpLeases()
    await this.#renewing
    const { registry, watch, onError } = this.#options
    // With an effect in flight receipts have to wait until the lease is over.
    if (!watch.hasEffects) {
      await registry.leave().catch(onError)
    }
  }

  #add(cursor: string, effects: Promise<void> | undefined): void {
    this.#events.add(cursor, effects, () => {
      for (const lease of this.#leases) {
        void lease.acknowledge()
      }
      this.#changed.wake()
    })
  }

  #giveUpLeases(): void {
    for (const lease of this.#leases) {
      lease.giveUp()
    }
  }

  async #until(condition: () => boolean, maxWaitMs: number): Promise<void> {
    await this.#changed.until(condition, { signals: [this.#closing.signal], maxWaitMs })
  }
}
