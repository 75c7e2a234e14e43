import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Lease,
  type MachineClocks,
  machineClocks,
  SuspendDetector,
  type Watch,
} from '@portcullis/gate/grants'
import { type CursorPart, cursorPart, cursorParts } from '../../registry/cursor.js'
import type { FeedRead, PartRenewal } from '../../registry/index.js'

const retryMs = 100
/** A lease is renewed when a third of it is over. */
const renewalsPerLease = 3

/** What an auth instance asks of the registry for itself, as `registry/auth-part/auth-part.ts` has it. */
export interface OwnPartRegistry {
  readonly partitions: number
  join(partition: number): Promise<void>
  renew(
    partition: number,
    askedAt: { us: number; run: string } | undefined,
  ): Promise<PartRenewal | 'not_joined'>
  /** Acknowledges everything that was committed up to this microsecond. */
  ack(partition: number, appliedUs: number): Promise<void>
  leave(): Promise<void>
}

export interface OwnPartOptions {
  registry: OwnPartRegistry
  /** The grants of this instance's callers. */
  watch: Watch
  /** Where the tail started to read; before `start`. */
  cursor: string
  ttlMs: number
  onError: (error: unknown) => void
  /** Default: the machine's own. */
  clocks?: MachineClocks
}

/** Everything up to a cursor is applied; `over` once the effects that it ended are over too. */
interface Applied {
  readonly cursor: CursorPart[]
  over: boolean
}

/**
 * This auth instance as a part of receipts. It acts for callers, so it has what a node has: it applies
 * each revocation to the grants of its callers, acknowledges it when no covered effect is under way,
 * and holds a lease without which it does not act.
 *
 * The lease is one for each partition. A caller depends on that of its own partition alone, so a
 * partition that is away takes nothing from callers of the others.
 */
export class OwnPart {
  readonly #options: OwnPartOptions
  readonly #closing = new AbortController()
  /** The monotonic moment up to which each partition's lease holds. */
  readonly #until: number[]
  readonly #leases: readonly Pick<Lease, 'held' | 'leftMs'>[]
  readonly #clocks: MachineClocks
  readonly #suspends: SuspendDetector
  /** When a suspend was noticed last: renewals that were sent before are worth nothing. */
  #givenUpAt = Number.NEGATIVE_INFINITY
  /** What has been applied, with or without effects under way. */
  #applied: CursorPart[]
  /** What has been applied and is over. */
  #over: CursorPart[]
  readonly #waiting: Applied[] = []
  /** What each partition has taken as acknowledged, as a microsecond. */
  readonly #ackedUs: number[]
  readonly #acking: boolean[]
  readonly #wakes = new Set<() => void>()
  #loops: Promise<unknown> = Promise.resolve()

  constructor(options: OwnPartOptions) {
    const { registry, cursor, clocks = machineClocks } = options
    this.#options = options
    // Each partition waits on it.
    setMaxListeners(0, this.#closing.signal)
    this.#clocks = clocks
    this.#suspends = new SuspendDetector(clocks)
    const each = Array.from({ length: registry.partitions })
    this.#until = each.map(() => Number.NEGATIVE_INFINITY)
    this.#ackedUs = each.map(() => -1)
    this.#acking = each.map(() => false)
    this.#leases = each.map((_, partition) => this.#leaseOf(partition))
    this.#applied = this.#over = cursorParts(cursor) ?? []
  }

  /** The lease that callers of a partition depend on. */
  lease(partition: number): Pick<Lease, 'held' | 'leftMs'> {
    return this.#leases[partition] ?? { held: false, leftMs: 0 }
  }

  /** Says why this instance cannot act for every caller; undefined when it can. */
  get problem(): string | undefined {
    return this.#leases.every(({ held }) => held) ? undefined : 'no lease from the registry'
  }

  /**
   * Joins every partition, and goes on renewing. Resolves when it has every lease, or after `waitMs`.
   *
   * @throws RegistryError `registry_unavailable`
   */
  async start(waitMs: number): Promise<void> {
    const { registry, watch } = this.#options
    const partitions = [...this.#leases.keys()]
    await Promise.all(partitions.map((partition) => registry.join(partition)))
    watch.synced()
    this.#loops = Promise.all(partitions.map((partition) => this.#renewForever(partition)))
    const late = AbortSignal.timeout(waitMs)
    late.addEventListener('abort', () => this.#moved())
    await this.#when(() => this.problem === undefined || late.aborted)
  }

  /** The tail has brought events. */
  onEvents({ cursor, revocations }: FeedRead): void {
    const { watch } = this.#options
    watch.apply(revocations)
    this.#takes(cursor, watch.effectsOver())
  }

  /** The tail cannot tell what it has skipped: no grant of before is known to hold. */
  onLost(cursor: string): void {
    const { watch } = this.#options
    watch.interrupted()
    watch.endAll()
    // The registry may have gone back, and wait again for what it had taken.
    this.#ackedUs.fill(-1)
    this.#takes(cursor, watch.effectsOver({ all: true }))
    watch.synced()
  }

  /**
   * Resolves when this instance has acknowledged the revocations of a partition up to a microsecond,
   * or after `withinMs`.
   */
  async acknowledged(partition: number, us: number, withinMs: number): Promise<void> {
    const late = AbortSignal.timeout(withinMs)
    late.addEventListener('abort', () => this.#moved())
    await this.#when(() => (this.#ackedUs[partition] ?? 0) >= us || late.aborted)
  }

  /** Leaves the receipts. Every request has been answered. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#until.fill(Number.NEGATIVE_INFINITY)
    this.#moved()
    await this.#loops
    const { registry, watch, onError } = this.#options
    // Rather waited for until the lease is out than counted out with an effect under way.
    if (!watch.hasEffects) {
      await registry.leave().catch(onError)
    }
  }

  #leaseOf(partition: number): Pick<Lease, 'held' | 'leftMs'> {
    const leftMs = (): number => {
      const now = this.#clocks.monotonic()
      const left = (this.#until[partition] ?? Number.NEGATIVE_INFINITY) - now
      if (left <= 0) {
        return 0
      }
      if (!this.#suspends.quickCheck(now)) {
        return left
      }
      this.#giveUp()
      return 0
    }
    return {
      get held() {
        return leftMs() > 0
      },
      get leftMs() {
        return leftMs()
      },
    }
  }

  /** The machine was suspended: its monotonic clock stood still meanwhile. */
  #giveUp(): void {
    this.#until.fill(Number.NEGATIVE_INFINITY)
    this.#givenUpAt = this.#clocks.monotonic()
  }

  #takes(cursor: string, effects: Promise<void> | undefined): void {
    const applied: Applied = { cursor: cursorParts(cursor) ?? [], over: effects === undefined }
    this.#applied = applied.cursor
    this.#waiting.push(applied)
    void effects?.then(() => {
      applied.over = true
      this.#acknowledge()
    })
    this.#acknowledge()
  }

  /** Acknowledges in order: what a later event has ended may be over before what an earlier has. */
  #acknowledge(): void {
    while (this.#waiting[0]?.over === true) {
      this.#over = this.#waiting.shift()?.cursor ?? this.#over
    }
    for (const partition of this.#leases.keys()) {
      void this.#ack(partition)
    }
    this.#moved()
  }

  async #ack(partition: number): Promise<void> {
    if (this.#acking[partition] === true) {
      return
    }
    this.#acking[partition] = true
    const { registry, onError } = this.#options
    const { signal } = this.#closing
    const overUs = (): number => this.#over[partition]?.us ?? 0
    while (!signal.aborted && (this.#ackedUs[partition] ?? 0) < overUs()) {
      const us = overUs()
      try {
        await registry.ack(partition, us)
        this.#ackedUs[partition] = us
        this.#moved()
      } catch (error) {
        onError(error)
        await delay(retryMs, undefined, { signal }).catch(() => undefined)
      }
    }
    this.#acking[partition] = false
  }

  async #renewForever(partition: number): Promise<void> {
    const { ttlMs, onError } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      // Before it is sent: the registry counts from when it arrives, and must be the later of the two.
      const sentAt = this.#clocks.monotonic()
      let nextMs = ttlMs / renewalsPerLease
      try {
        const renewed = await this.#renew(partition)
        if (this.#suspends.check()) {
          this.#giveUp()
        }
        if (renewed && sentAt > this.#givenUpAt) {
          this.#until[partition] = Math.max(this.#until[partition] ?? 0, sentAt + ttlMs)
          this.#moved()
        }
      } catch (error) {
        onError(error)
        nextMs = retryMs
      }
      const waitMs = Math.max(0, sentAt + nextMs - this.#clocks.monotonic())
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** Returns true once the renewal counts and this instance has applied all that it depends on. */
  async #renew(partition: number): Promise<boolean> {
    const { registry } = this.#options
    const { signal } = this.#closing
    let askedAt: { us: number; run: string } | undefined
    while (!signal.aborted) {
      const reply = await registry.renew(partition, askedAt)
      if (reply === 'not_joined') {
        await registry.join(partition)
        continue
      }
      const end = cursorPart(reply.end)
      if (reply.counted) {
        // Receipts of what was committed until now may be complete without this instance: it may
        // have been fenced.
        await this.#when(() => reaches(this.#applied[partition], end))
        return !signal.aborted
      }
      await this.#when(() => reaches(this.#over[partition], end))
      if (signal.aborted) {
        return false
      }
      askedAt ??= { us: end?.us ?? 0, run: reply.run }
      await registry.ack(partition, end?.us ?? 0)
    }
    return false
  }

  /** Resolves when `condition` holds, or this is closing. */
  async #when(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#closing.signal.aborted) {
      await new Promise<void>((resolve) => this.#wakes.add(resolve))
    }
  }

  #moved(): void {
    const wakes = [...this.#wakes]
    this.#wakes.clear()
    for (const wake of wakes) {
      wake()
    }
  }
}

function reaches(part: CursorPart | undefined, end: CursorPart | undefined): boolean {
  if (part === undefined || end === undefined) {
    return false
  }
  return part.sequence >= end.sequence && part.us >= end.us
}
