import { script } from '@portcullis/redis'
import { leaseTimes } from './lease-times.js'
import { type Lease, leaseOf, nodeOf } from './nodes.js'
import { partitionsOf, type Registry } from './registry.js'
import { run } from './run.js'

const read = script<[run: string, leases: string[], nodes: string[]]>(
  new URL('../../src/registry/lua/read-leases.lua', import.meta.url),
)

/** Every process that revocations wait for, as far as the partitions have answered. */
export interface Leases {
  leases: Lease[]
  /** Partitions that did not answer: nothing is known of theirs. */
  missing: number[]
  /** Why the first of these did not. */
  error?: unknown
}

/** Every process that revocations wait for, in every partition that answers. */
export async function readLeases(registry: Registry): Promise<Leases> {
  const reads = await Promise.allSettled(
    partitionsOf(registry).map((partition) => readPartition(registry, partition)),
  )
  const failed = reads.flatMap((read, partition) =>
    read.status === 'rejected' ? [{ partition, error: read.reason }] : [],
  )
  const [first] = failed
  return {
    leases: reads.flatMap((read) => (read.status === 'fulfilled' ? read.value : [])),
    missing: failed.map(({ partition }) => partition),
    ...(first === undefined ? {} : { error: first.error }),
  }
}

async function readPartition(registry: Registry, partition: number): Promise<Lease[]> {
  const { keys } = registry
  const [answering, flatLeases, flatNodes] = await run(
    registry,
    read,
    [keys.leases(partition), keys.roster(partition), keys.nodes(partition)],
    [leaseTimes(registry.leaseMs).fenceMs],
  )
  const nodes = new Map(pairs(flatNodes))
  return pairs(flatLeases).map(([part, value]) => {
    const lease = leaseOf(part, value)
    const known = nodes.get(lease.node)
    const current = known !== undefined && nodeOf(known).instance === lease.instance
    return { ...lease, partition, run: answering, current }
  })
}

function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) list.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return list
}
