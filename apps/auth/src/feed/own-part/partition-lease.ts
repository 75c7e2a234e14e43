import { setTimeout as delay } from 'node:timers/promises'
import type { Lease, MachineClocks, SuspendDetector } from '@portcullis/gate/grants'
import { type CursorPart, cursorPart } from '../../registry/cursor.js'
import type { Wakeup } from '../../wakeup.js'
import type { AppliedEvents } from './applied-events.js'
import type { OwnPartRegistry } from './registry.js'

const retryMs = 100
/** A lease is renewed when a third of it is over. */
const renewalsPerLease = 3

/** State and settings that the leases of all partitions share. */
export interface PartitionLeaseContext {
  registry: OwnPartRegistry
  events: AppliedEvents
  /** Woken when `events`, `ackedUs` or `held` may have changed. */
  changed: Wakeup
  /** Aborts when this process leaves the receipts. */
  closing: AbortSignal
  clocks: MachineClocks
  suspends: SuspendDetector
  /** The machine was suspended: its monotonic clock stood still meanwhile. */
  onSuspend: () => void
  ttlMs: number
  onError: (error: unknown) => void
}

/** This process's lease and acknowledgements in one partition of the registry. */
export class PartitionLease implements Pick<Lease, 'held' | 'leftMs'> {
  readonly #partition: number
  readonly #context: PartitionLeaseContext
  readonly #suspends: SuspendDetector
  /** The moment on the monotonic clock up to which the lease holds. */
  #heldUntil = Number.NEGATIVE_INFINITY
  /** When the lease was last given up. Renewals that were sent before are worth nothing. */
  #givenUpAt = Number.NEGATIVE_INFINITY
  #ackedUs = -1
  #acking = false

  constructor(partition: number, context: PartitionLeaseContext) {
    this.#partition = partition
    this.#context = context
    this.#suspends = context.suspends
  }

  get held(): boolean {
    return this.leftMs > 0
  }

  get leftMs(): number {
    const { clocks, onSuspend } = this.#context
    const now = clocks.monotonic()
    const left = this.#heldUntil - now
    if (left <= 0) {
      return 0
    }
    if (!this.#suspends.quickCheck(now)) {
      return left
    }
    onSuspend()
    return 0
  }

  /** Everything committed up to this microsecond is acknowledged in the registry; -1 before that. */
  get ackedUs(): number {
    return this.#ackedUs
  }

  /** Ends the lease until a renewal that is sent after this moment. */
  giveUp(): void {
    this.#heldUntil = Number.NEGATIVE_INFINITY
    this.#givenUpAt = this.#context.clocks.monotonic()
  }

  /** Forgets what is acknowledged: a registry that went back may wait for it again. */
  forgetAcks(): void {
    this.#ackedUs = -1
  }

  /** Acknowledges the events whose effects are over, until the registry has recorded it. */
  async acknowledge(): Promise<void> {
    if (this.#acking) {
      return
    }
    this.#acking = true
    const { registry, events, changed, closing, onError } = this.#context
    const overUs = (): number => events.over(this.#partition)?.us ?? 0
    while (!closing.aborted && this.#ackedUs < overUs()) {
      const us = overUs()
      try {
        await registry.ack(this.#partition, us)
        this.#ackedUs = us
        changed.wake()
      } catch (error) {
        onError(error)
        await delay(retryMs, undefined, { signal: closing }).catch(() => undefined)
      }
    }
    this.#acking = false
  }

  /** Renews the lease until the process leaves the receipts. */
  async keepRenewing(): Promise<void> {
    const { clocks, changed, closing, onSuspend, ttlMs, onError } = this.#context
    while (!closing.aborted) {
      // Before the renewal is sent: the registry counts from its arrival, which has to be the later.
      const sentAt = clocks.monotonic()
      let nextMs = ttlMs / renewalsPerLease
      try {
        const renewed = await this.#renew()
        if (this.#suspends.check()) {
          onSuspend()
        }
        if (renewed && sentAt > this.#givenUpAt) {
          this.#heldUntil = Math.max(this.#heldUntil, sentAt + ttlMs)
          changed.wake()
        }
      } catch (error) {
        onError(error)
        nextMs = retryMs
      }
      const waitMs = Math.max(0, sentAt + nextMs - clocks.monotonic())
      await delay(waitMs, undefined, { signal: closing, ref: false }).catch(() => undefined)
    }
  }

  /** Returns true once the renewal counts and this process has applied all that it depends on. */
  async #renew(): Promise<boolean> {
    const { registry, events, closing } = this.#context
    const partition = this.#partition
    let askedAt: { us: number; run: string } | undefined
    while (!closing.aborted) {
      const reply = await registry.renew(partition, askedAt)
      if (reply === 'not_joined') {
        await registry.join(partition)
        continue
      }
      const end = cursorPart(reply.end)
      if (reply.counted) {
        // Receipts of everything committed until now may be complete without this process: it may
        // have been fenced.
        await this.#until(() => reaches(events.applied(partition), end))
        return !closing.aborted
      }
      await this.#until(() => reaches(events.over(partition), end))
      if (closing.aborted) {
        return false
      }
      askedAt ??= { us: end?.us ?? 0, run: reply.run }
      await registry.ack(partition, end?.us ?? 0)
    }
    return false
  }

  async #until(condition: () => boolean): Promise<void> {
    const { changed, closing } = this.#context
    await changed.until(condition, { signals: [closing] })
  }
}

function reaches(part: CursorPart | undefined, end: CursorPart | undefined): boolean {
  if (part === undefined || end === undefined) {
    return false
  }
  return part.sequence >= end.sequence && part.us >= end.us
}
