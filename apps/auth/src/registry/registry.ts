import { type Commands, type Deadline, slotOf } from '@portcullis/redis'
import type { KeyNames } from './keys.js'

/** An open registry: the first argument of every function of this folder. */
export interface Registry {
  readonly redis: Commands
  /**
   * Redis refuses scripts that arrive after this time. Set while the registry is used for a
   * request.
   */
  readonly deadline?: Deadline
  readonly keys: KeyNames
  /** The number of partitions that the registry was created with. */
  readonly partitions: number
  /** The number of events that a partition's feed keeps. */
  readonly feedMaxLength: number
  readonly receiptTtlSeconds: number
  /** The longest time that a receipt waits for a node, in milliseconds. */
  readonly leaseMs: number
  readonly wrongCodes: WrongCodes
  /** The number of live tokens that an identity may have. */
  readonly maxTokensPerIdentity: number
  /** The identity that must remain an administrator. */
  readonly administrator?: string
  /**
   * Called for every part of a receipt that this process has settled, with the milliseconds from
   * the commit to the settlement by the registry's clock. Each part is reported by one process
   * only.
   */
  readonly onSettled?: (state: 'acked' | 'fenced', afterMs: readonly number[]) => void
}

/** Limits for wrong registration codes, for one identity from one address. */
export interface WrongCodes {
  /** How many wrong codes are answered at once; the next one must wait. */
  allowed: number
  /** The first wait, in milliseconds; each further wrong code doubles it. */
  waitMs: number
  /** The longest wait, in milliseconds. */
  maxWaitMs: number
}

/** Returns `1` for the identity that must remain an administrator, else ''; for scripts. */
export function mustAdminister({ administrator }: Registry, identity: string): '1' | '' {
  return administrator === identity ? '1' : ''
}

/** Returns the numbers of all partitions. */
export function partitionsOf(registry: Registry): number[] {
  return Array.from({ length: registry.partitions }, (_, partition) => partition)
}

/** Returns the slots of all partitions. */
export function slotsOf(registry: Registry): number[] {
  return partitionsOf(registry).map((partition) => slotOf(registry.keys.clock(partition)))
}
