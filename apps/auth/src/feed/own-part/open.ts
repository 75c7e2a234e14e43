import { newStats, Watch } from '@portcullis/gate/grants'
import { leaseTimes } from '../../registry/index.js'
import { OwnPart } from './own-part.js'
import type { OwnPartRegistry } from './registry.js'

/** The watch needs no lease of the whole process: `OwnPart` has one for each partition. */
const noLease = { held: true, leftMs: 0 }

export interface OpenOwnPart {
  registry: OwnPartRegistry
  leaseMs: number
  log: ConstructorParameters<typeof Watch>[0]
  onError: (error: unknown) => void
  /** The classes to use; the simulation's mutants replace them. */
  parts?: { OwnPart: typeof OwnPart; Watch: typeof Watch }
}

/**
 * Makes this process a part of receipts, with a watch over the grants of its callers.
 *
 * @param cursor - where the tail of the feed starts
 */
export function openOwnPart(
  { registry, leaseMs, log, onError, parts = { OwnPart, Watch } }: OpenOwnPart,
  cursor: string,
): { part: OwnPart; watch: Watch } {
  const watch = new parts.Watch(log, newStats(), noLease)
  const { ttlMs } = leaseTimes(leaseMs)
  const part = new parts.OwnPart({ registry, watch, cursor, ttlMs, onError })
  return { part, watch }
}
