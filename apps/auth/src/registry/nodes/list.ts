import { defined } from '@portcullis/contracts/defined'
import type { NodeInfo } from '@portcullis/contracts/feed'
import { partitionsOf, type Registry } from '../registry.js'
import { guard } from '../run.js'
import { leaseOf, nodeOf, partName } from './record.js'

/** Returns the nodes that revocations wait for, by name. */
export async function listNodes(registry: Registry): Promise<NodeInfo[]> {
  const { redis, keys } = registry
  const [nodes, leases, connected] = await Promise.all([
    guard(redis.hgetall(keys.nodes(0))),
    guard(redis.hgetall(keys.leases(0))),
    guard(redis.hgetall(keys.connected)),
  ])
  const list = Object.entries(nodes).map(async ([node, value]) => {
    const { instance, since, identity, url } = nodeOf(value)
    const part = partName({ node, instance })
    return {
      node,
      instance,
      identity,
      ...defined({ url }),
      fenced: leaseOf(part, leases[part] ?? '').fencedUs !== undefined,
      connected: connected[node]?.split(' ')[0] === instance,
      pending: await countPending(registry, part),
      since,
    }
  })
  return (await Promise.all(list)).sort((a, b) => (a.node < b.node ? -1 : 1))
}

async function countPending(registry: Registry, part: string): Promise<number> {
  const { redis, keys } = registry
  const counts = await Promise.all(
    partitionsOf(registry).map((partition) =>
      guard(redis.zlexcount(keys.pending(partition), `[${part}|`, `(${part}}`)),
    ),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}
