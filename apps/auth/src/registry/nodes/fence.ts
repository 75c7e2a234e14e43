import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { type Lease, partName } from './record.js'
import { settle } from './settle-receipt-parts.js'

const fence = script<string | null>(new URL('./fence.lua', import.meta.url))
const forget = script<null>(new URL('./forget.lua', import.meta.url))

/**
 * Fences a node in one partition. Without `overdueUs`: if it has not renewed its lease since `lease`
 * was read. With it: if a revocation that was committed up to that microsecond waits for it, whatever
 * it has renewed. The caller has seen that for `lease.fenceMs` on a monotonic clock.
 *
 * @returns the microsecond of the fence; undefined when that is not so, when the node has left or is
 * fenced already, or when another Redis answers
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
 * Completes what waits for a fenced node: every part of a revocation committed before its fence.
 * Doing it twice changes nothing, so whoever finds it undone does it.
 */
export async function settleFenced(
  registry: Registry,
  lease: Lease & { fencedUs: number },
): Promise<void> {
  await settle(registry, lease, lease.partition, {
    state: 'fenced',
    appliedUs: lease.fencedUs,
    closed: new Map(),
    position: 0,
  })
}

/** Forgets a node that is fenced, unless it has renewed its lease since `lease` was read. */
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
