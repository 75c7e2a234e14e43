import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { type Lease, partName } from './record.js'
import { settleReceiptParts } from './settle-receipt-parts.js'

const fence = script<string | null>(new URL('./fence.lua', import.meta.url))
const forget = script<null>(new URL('./forget.lua', import.meta.url))

/**
 * Fences a process in one partition if it has not renewed its lease since `lease` was read; with
 * `overdueUs`, if a revocation committed up to that microsecond waits for it, whatever it has
 * renewed. The caller has seen this for `lease.fenceMs` on a monotonic clock.
 *
 * @returns the microsecond of the fence; undefined when the condition does not hold, the process
 * has left or is fenced already, or another Redis answers
 */
export async function fenceNode(
  registry: Registry,
  lease: Lease,
  overdueUs?: number,
): Promise<number | undefined> {
  const { keys } = registry
  const { partition, renewedUs, run: mark } = lease
  const us = await run(
    registry,
    fence,
    [keys.clock(partition), keys.leases(partition), keys.pending(partition)],
    [partName(lease), mark, ...(overdueUs === undefined ? [renewedUs, ''] : ['', overdueUs])],
  )
  return us === null ? undefined : Number(us)
}

/**
 * Settles every part that waits for a fenced process, of revocations committed before the fence.
 * Repeating the call changes nothing, so any instance may do it.
 */
export async function settleFenced(
  registry: Registry,
  lease: Lease & { fencedUs: number },
): Promise<void> {
  await settleReceiptParts(registry, lease, lease.partition, {
    state: 'fenced',
    appliedUs: lease.fencedUs,
    closed: new Map(),
    position: 0,
  })
}

/** Forgets a fenced process, unless it has renewed its lease since `lease` was read. */
export async function forgetNode(
  registry: Registry,
  lease: Pick<Lease, 'node' | 'instance' | 'partition'> & { fencedUs: number },
): Promise<void> {
  const { keys } = registry
  const { node, instance, partition, fencedUs } = lease
  await run(
    registry,
    forget,
    [keys.nodes(partition), keys.leases(partition)],
    [node, instance, fencedUs],
  )
}
