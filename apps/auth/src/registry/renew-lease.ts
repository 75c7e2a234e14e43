import { script } from '@portcullis/redis'
import { nodeNotJoined, nodeReplaced } from './errors.js'
import { leaseTimes } from './lease-times.js'
import type { NodeInstance } from './nodes.js'
import { partitionsOf, type Registry } from './registry.js'
import { run } from './run.js'

const renew = script<[last: string, fenced: 0 | 1] | 'node_replaced' | 'node_not_joined'>(
  new URL('../../src/registry/lua/renew-lease.lua', import.meta.url),
)

export interface Renewed {
  /** Where the feed ended in each partition when the renewal was counted there. */
  cursor: string
  /** It was fenced: it may deliver only after it has applied everything up to `cursor`. */
  fenced: boolean
  /** How long it may deliver, in milliseconds, from when it asked. */
  ttlMs: number
}

/**
 * Counts a renewal of a node's lease, in every partition.
 *
 * @throws RegistryError `node_replaced` when another process has the node's name; `node_not_joined`
 * when the registry does not know it (any more): it has to say hello again
 */
export async function renewLease(registry: Registry, node: NodeInstance): Promise<Renewed> {
  const { keys } = registry
  const { fenceMs, ttlMs } = leaseTimes(registry.leaseMs)
  const replies = await Promise.all(
    partitionsOf(registry).map((partition) =>
      run(
        registry,
        renew,
        [keys.nodes(partition), keys.leases(partition), keys.feed(partition)],
        [node.node, node.instance, fenceMs],
      ),
    ),
  )
  const counted = replies.map((reply) => {
    if (reply === 'node_replaced') throw nodeReplaced(node.node)
    if (reply === 'node_not_joined') throw nodeNotJoined(node.node)
    return reply
  })
  return {
    cursor: counted.map(([last]) => last).join(','),
    fenced: counted.some(([, fenced]) => fenced === 1),
    ttlMs,
  }
}
