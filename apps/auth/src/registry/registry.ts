import { type Commands, type Deadline, slotOf } from '@portcullis/redis'
import type { KeyNames } from './keys.js'

/** An open registry: what every verb of this folder takes first. */
export interface Registry {
  readonly redis: Commands
  /**
   * Set while the registry is used for a caller: Redis refuses scripts that arrive after `until`, a
   * moment of `performance.now()`.
   */
  readonly deadline?: Deadline
  readonly keys: KeyNames
  /** How many partitions the registry was created with. */
  readonly partitions: number
  /** How many events a partition's feed keeps. */
  readonly feedMaxLength: number
  readonly receiptTtlSeconds: number
  /** How long a receipt may wait for a node, in milliseconds. */
  readonly leaseMs: number
  readonly wrongCodes: WrongCodes
  /** How many tokens of one identity may live at a time. */
  readonly maxTokensPerIdentity: number
  /** The identity that has to stay an administrator, whatever it is asked to become. */
  readonly administrator?: string
  /**
   * Hears of every part of a receipt that this process has settled: how, and how many milliseconds
   * after the commit, by the registry's clock. Of all processes only the one that settled it hears.
   */
  readonly onSettled?: (state: 'acked' | 'fenced', afterMs: readonly number[]) => void
}

/** What wrong registration codes for one identity from one address cost. */
export interface WrongCodes {
  /** How many may be shown before the next wrong one is told to wait. */
  allowed: number
  /** The first wait, in milliseconds; each further wrong code doubles it. */
  waitMs: number
  /** The longest wait, in milliseconds. */
  maxWaitMs: number
}

/** Returns, for scripts, `1` for the identity that has to stay an administrator, and '' for others. */
export function isGuarded({ administrator }: Registry, identity: string): '1' | '' {
  return administrator === identity ? '1' : ''
}

/** The numbers of all partitions. */
export function partitionsOf(registry: Registry): number[] {
  return Array.from({ length: registry.partitions }, (_, partition) => partition)
}

/** The slots of all partitions. */
export function slotsOf(registry: Registry): number[] {
  return partitionsOf(registry).map((partition) => slotOf(registry.keys.clock(partition)))
}
