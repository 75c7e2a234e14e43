import { partitionOf } from '../production.js'
import {
  covers,
  type PartState,
  type ReceiptPart,
  type SimulatedToken,
} from '../registry/registry.js'
import type { World } from '../world/world.js'

/** What the simulation has found: one of the two promises is broken. */
export class Broken extends Error {
  readonly invariant: 'a byte after a complete receipt' | 'a receipt that is late' | 'the end'
  constructor(invariant: Broken['invariant'], message: string) {
    super(message)
    this.name = 'Broken'
    this.invariant = invariant
  }
}

interface Known {
  readonly id: string
  /** How many partitions have a part of it. */
  readonly expected: number
  /** By partition. */
  readonly parts: Map<number, ReceiptPart>
  /** When its last partition committed. */
  committedAt: number
  completeAt: number | undefined
}

export interface InvariantsOptions {
  world: World
  partitions: number
  leaseMs: number
  /** The auth processes: one that is well is enough. */
  auths: readonly string[]
}

/**
 * The two invariants. A receipt counts as complete from the moment at which the registry has
 * settled its last part: sooner than anybody can read it.
 */
export class Invariants {
  readonly #options: InvariantsOptions
  #receipts = new Map<string, Known>()
  #complete: Known[] = []
  /** Until when each auth, and the registry, had a fault; a receipt has the lease from there. */
  readonly #faultyUntil = new Map<string, number>()

  constructor(options: InvariantsOptions) {
    this.#options = options
  }

  /** The registry has made a receipt, or settled a part. */
  onReceipt(partition: number, receipt: ReceiptPart): void {
    const { world, partitions } = this.#options
    const known = this.#receipts.get(receipt.id) ?? {
      id: receipt.id,
      expected: 'all' in receipt.selector ? partitions : 1,
      parts: new Map(),
      committedAt: world.now,
      completeAt: undefined,
    }
    this.#receipts.set(receipt.id, known)
    const isNew = !known.parts.has(partition)
    known.parts.set(partition, receipt)
    // A revocation of everything is one commit in each partition; before the last there is none.
    if (isNew) {
      known.committedAt = world.now
    }
    world.note('registry', () => `receipt ${receipt.id} ${statesOf(known)}`)
    if (known.completeAt === undefined && isComplete(known)) {
      known.completeAt = world.now
      this.#complete.push(known)
      world.history.count('receipts')
      if (statesOf(known).includes('fenced')) {
        world.history.count('receipts with a fence')
      }
      world.note('registry', `receipt ${receipt.id} is complete`)
    } else if (isNew && known.parts.size === known.expected) {
      this.#expect(known)
    }
  }

  /** The registry has come back with an older state: what it has lost was never promised. */
  onLost(partitions: readonly ReadonlyMap<string, ReceiptPart>[]): void {
    for (const known of this.#receipts.values()) {
      for (const partition of known.parts.keys()) {
        const part = partitions[partition]?.get(known.id)
        if (part === undefined) {
          known.parts.delete(partition)
        } else {
          known.parts.set(partition, part)
        }
      }
      if (!isComplete(known)) {
        known.completeAt = undefined
      }
      if (known.parts.size === 0) {
        this.#receipts.delete(known.id)
      }
    }
    this.#complete = [...this.#receipts.values()].filter((known) => known.completeAt !== undefined)
    for (const known of this.#receipts.values()) {
      this.#expect(known)
    }
  }

  /** An auth process or the registry has a fault until then; nodes' faults move nothing. */
  faulty(host: string, untilMs: number): void {
    this.#faultyUntil.set(host, Math.max(this.#faultyUntil.get(host) ?? 0, untilMs))
  }

  /** Since when the registry and some auth are well. */
  get #wellSince(): number {
    const until = (host: string): number => this.#faultyUntil.get(host) ?? 0
    return Math.max(until('registry'), Math.min(...this.#options.auths.map(until)))
  }

  /**
   * An application byte is handed to a socket that stands on this token, or a command of it is taken
   * or has its effect.
   */
  crosses(who: string, how: string, token: SimulatedToken): void {
    const { world, partitions } = this.#options
    const at = partitionOf(token.identity, partitions)
    for (const known of this.#complete) {
      // Each partition cuts off its own tokens, by its own clock.
      const part = known.parts.get(at)
      if (part !== undefined && covers(part, token)) {
        const message = `${who} ${how} on ${token.jti}, ${(world.now - (known.completeAt ?? 0)).toFixed(3)} ms after the receipt ${known.id} was complete (${statesOf(known)})`
        world.note('INVARIANT', message)
        throw this.#broken('a byte after a complete receipt', message)
      }
    }
  }

  /** A receipt that is not complete is looked at again when it has to be. */
  #expect(known: Known): void {
    const { world, leaseMs } = this.#options
    const due = Math.max(known.committedAt, this.#wellSince) + leaseMs
    world.schedule(due - world.now + 0.001, () => {
      if (known.completeAt !== undefined || this.#receipts.get(known.id) !== known) {
        return
      }
      if (known.parts.size < known.expected) {
        return
      }
      if (world.now < Math.max(known.committedAt, this.#wellSince) + leaseMs) {
        this.#expect(known)
        return
      }
      const message = `the receipt ${known.id} is not complete after the lease (${statesOf(known)})`
      world.note('INVARIANT', message)
      throw this.#broken('a receipt that is late', message)
    })
  }

  #broken(invariant: Broken['invariant'], message: string): Broken {
    const broken = new Broken(invariant, message)
    this.#options.world.fail(broken)
    return broken
  }
}

function isComplete({ parts, expected }: Known): boolean {
  if (parts.size < expected) {
    return false
  }
  return [...parts.values()].every((part) => ![...part.parts.values()].includes('pending'))
}

function statesOf({ parts, expected }: Known): string {
  const states = [...parts.values()].flatMap((part) =>
    [...part.parts].map(([name, state]: [string, PartState]) => `${name} ${state}`),
  )
  const missing = expected - parts.size
  return (
    [...states, ...(missing > 0 ? [`${missing} partitions to come`] : [])].join(', ') || 'nobody'
  )
}
