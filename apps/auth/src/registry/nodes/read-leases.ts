import { script } from '@portcullis/redis'
import { cursorPart } from '../cursor.js'
import { leaseTimes } from '../lease-times.js'
import { partitionsOf, type Registry } from '../registry.js'
import { run } from '../run.js'
import { type Lease, leaseOf, nodeOf } from './record.js'

const read = script<[mark: string, end: string, leases: string[], nodes: string[]]>(
  new URL('./read-leases.lua', import.meta.url),
)

/** Where a partition's feed ended when its leases were read. */
export interface FeedEnd {
  partition: number
  /** As `Lease.run`. */
  run: string
  /** The microsecond of the last commit; 0 before the first. */
  us: number
}

/** The processes that revocations wait for, in the partitions that answered. */
export interface Leases {
  leases: Lease[]
  /** One for each partition that answered. */
  ends: FeedEnd[]
  /** The partitions that did not answer. */
  missing: number[]
  /** Why the first of them did not answer. */
  error?: unknown
}

/** Reads every process that revocations wait for, in every partition that answers. */
export async function readLeases(registry: Registry): Promise<Leases> {
  const reads = await Promise.allSettled(
    partitionsOf(registry).map((partition) => readPartition(registry, partition)),
  )
  const found = reads.flatMap((read) => (read.status === 'fulfilled' ? [read.value] : []))
  const failed = reads.flatMap((read, partition) =>
    read.status === 'rejected' ? [{ partition, error: read.reason }] : [],
  )
  const [first] = failed
  return {
    leases: found.flatMap(({ leases }) => leases),
    ends: found.map(({ end }) => end),
    missing: failed.map(({ partition }) => partition),
    ...(first === undefined ? {} : { error: first.error }),
  }
}

async function readPartition(
  registry: Registry,
  partition: number,
): Promise<{ leases: Lease[]; end: FeedEnd }> {
  const { keys } = registry
  const [mark, end, flatLeases, flatNodes] = await run(
    registry,
    read,
    [
      keys.leases(partition),
      keys.roster(partition),
      keys.nodes(partition),
      keys.clock(partition),
      keys.pending(partition),
      keys.feed(partition),
    ],
    [leaseTimes(registry.leaseMs).fenceMs],
  )
  const nodes = new Map(tuples(flatNodes, 2).map(([node = '', value = '']) => [node, value]))
  const leases = tuples(flatLeases, 3).map(([part = '', value = '', waitingUs = '']): Lease => {
    const lease = leaseOf(part, value)
    const known = nodes.get(lease.node)
    const current = known !== undefined && nodeOf(known).instance === lease.instance
    const waiting = waitingUs === '' ? {} : { waitingUs: Number(waitingUs) }
    return { ...lease, partition, run: mark, current, ...waiting }
  })
  return { leases, end: { partition, run: mark, us: cursorPart(end)?.us ?? 0 } }
}

function tuples(flat: readonly string[], size: number): string[][] {
  const list: string[][] = []
  for (let i = 0; i < flat.length; i += size) {
    list.push(flat.slice(i, i + size))
  }
  return list
}
