import { partitionOf } from '../production.js'
import {
  covers,
  type PartState,
  type ReceiptPart,
  type SimulatedToken,
} from '../registry/registry.js'
import type { World } from '../world/world.js'

/** A broken invariant. */
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
  /** How many partitions commit the revocation. */
  readonly expected: number
  /** By partition. */
  readonly parts: Map<number, ReceiptPart>
  /** When the last partition committed. */
  committedAt: number
  completeAt: number | undefined
}

export interface InvariantsOptions {
  world: World
  partitions: number
  leaseMs: number
  /** The auth processes; receipts need one without a fault. */
  auths: readonly string[]
}

/**
 * Checks the two invariants: no byte after a complete receipt, and no late receipt. A receipt is complete
 * as soon as the registry has settled its last part, which is before anyone can read it.
 */
export class Invariants {
  readonly #options: InvariantsOptions
  #receipts = new Map<string, Known>()
  #complete: Known[] = []
  /** When the last fault of each auth and of the registry ends; the bound of a receipt starts there. */
  readonly #faultyUntil = new Map<string, number>()

  constructor(options: InvariantsOptions) {
    this.#options = options
  }

  /** Call after each new receipt and each settled part. */
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
    // A revocation of everything commits in each partition, and counts from the last commit.
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

  /** Call when the registry has restarted with older data. Lost receipts promise nothing. */
  onLost(partitions: readonly ReadonlyMap<string, ReceiptPart>[]): void {
    const { world } = this.#options
    for (const known of this.#receipts.values()) {
      for (const partition of known.parts.keys()) {
        const part = partitions[partition]?.get(known.id)
        if (part === undefined) {
          known.parts.delete(partition)
        } else {
          known.parts.set(partition, part)
        }
      }
      // The data after a second restart may be newer than after the first.
      known.completeAt = isComplete(known) ? (known.completeAt ?? world.now) : undefined
      if (known.parts.size === 0) {
        this.#receipts.delete(known.id)
      }
    }
    this.#complete = [...this.#receipts.values()].filter((known) => known.completeAt !== undefined)
    for (const known of this.#receipts.values()) {
      this.#expect(known)
    }
  }

  /** Call when an auth process or the registry has a fault. Faults of nodes do not extend the bound. */
  faulty(host: string, untilMs: number): void {
    this.#faultyUntil.set(host, Math.max(this.#faultyUntil.get(host) ?? 0, untilMs))
  }

  /** When the registry and at least one auth have no fault any more. */
  get #healthySince(): number {
    const until = (host: string): number => this.#faultyUntil.get(host) ?? 0
    return Math.max(until('registry'), Math.min(...this.#options.auths.map(until)))
  }

  /**
   * Call when an application byte reaches a socket that uses this token, and when a command with this token
   * is accepted or takes effect.
   */
  crosses(who: string, how: string, token: SimulatedToken): void {
    const { world, partitions } = this.#options
    const at = partitionOf(token.identity, partitions)
    for (const known of this.#complete) {
      // Each partition has its own clock, and cut-offs for its own tokens.
      const part = known.parts.get(at)
      if (part !== undefined && covers(part, token)) {
        const message = `${who} ${how} on ${token.jti}, ${(world.now - (known.completeAt ?? 0)).toFixed(3)} ms after the receipt ${known.id} was complete (${statesOf(known)})`
        world.note('INVARIANT', message)
        throw this.#broken('a byte after a complete receipt', message)
      }
    }
  }

  /** Checks at its bound that a receipt is complete. */
  #expect(known: Known): void {
    const { world, leaseMs } = this.#options
    const due = Math.max(known.committedAt, this.#healthySince) + leaseMs
    world.schedule(due - world.now + 0.001, () => {
      if (known.completeAt !== undefined || this.#receipts.get(known.id) !== known) {
        return
      }
      if (known.parts.size < known.expected) {
        return
      }
      if (world.now < Math.max(known.committedAt, this.#healthySince) + leaseMs) {
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
    [...states, ...(missing > 0 ? [`${missing} partitions missing`] : [])].join(', ') || 'no parts'
  )
}
