import { script } from '@portcullis/redis'
import { leaseTimes } from './lease-times.js'
import { type Lease, leaseOf, nodeOf } from './nodes.js'
import { partitionsOf, type Registry } from './registry.js'
import { run } from './run.js'

const read = script<[run: string, leases: string[], nodes: string[]]>(
  new URL('../../src/registry/lua/read-leases.lua', import.meta.url),
)

export interface Leases {
  /** Which Redis has answered, for all partitions; another after a restart or failover. */
  run: string
  leases: Lease[]
}

/** Every process that revocations wait for, in every partition. */
export async function readLeases(registry: Registry): Promise<Leases> {
  const { keys } = registry
  const { fenceMs } = leaseTimes(registry.leaseMs)
  const parts = await Promise.all(
    partitionsOf(registry).map(async (partition) => {
      const [answering, flatLeases, flatNodes] = await run(
        registry,
        read,
        [keys.leases(partition), keys.roster(partition), keys.nodes(partition)],
        [fenceMs],
      )
      const nodes = new Map(pairs(flatNodes))
      const leases = pairs(flatLeases).map(([part, value]) => {
        const lease = leaseOf(part, value)
        const known = nodes.get(lease.node)
        const current = known !== undefined && nodeOf(known).instance === lease.instance
        return { ...lease, partition, current }
      })
      return { answering, leases }
    }),
  )
  return {
    run: parts.map(({ answering }) => answering).join(),
    leases: parts.flatMap(({ leases }) => leases),
  }
}

function pairs(flat: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < flat.length; i += 2) list.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return list
}
