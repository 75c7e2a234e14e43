import { script } from '@portcullis/redis'
import { nodeNotJoined, nodeReplaced } from './errors.js'
import type { Joined } from './join-node.js'
import { leaseTimes } from './lease-times.js'
import type { NodeInstance } from './nodes.js'
import { partitionsOf, type Registry } from './registry.js'
import { run } from './run.js'

const renew = script<string>(new URL('../../src/registry/lua/renew-lease.lua', import.meta.url))

export interface Renewed {
  /**
   * Where the feed ended in each partition when the renewal was counted there. It may have been
   * fenced until then: it may deliver only after it has applied everything up to here.
   */
  cursor: string
  /** How long it may deliver, in milliseconds, from when it asked. */
  ttlMs: number
}

/**
 * Counts a renewal of a node's lease, in every partition.
 *
 * `since` is as its join gave it: a registry that went back to older data may know a process under the
 * node's name that came before it, and shall not send the newer one away for that.
 *
 * @throws RegistryError `node_replaced` when another process has taken the node's name since;
 * `node_not_joined` when the registry does not know it (any more): it has to say hello again
 */
export async function renewLease(
  registry: Registry,
  { node, instance, since }: NodeInstance & Pick<Joined, 'since'>,
): Promise<Renewed> {
  const { keys } = registry
  const { fenceMs, ttlMs } = leaseTimes(registry.leaseMs)
  const replies = await Promise.all(
    partitionsOf(registry).map((partition) =>
      run(
        registry,
        renew,
        [keys.nodes(partition), keys.leases(partition), keys.feed(partition)],
        [node, instance, fenceMs, since[partition] ?? 0],
      ),
    ),
  )
  if (replies.includes('node_replaced')) throw nodeReplaced(node)
  if (replies.includes('node_not_joined')) throw nodeNotJoined(node)
  return { cursor: replies.join(','), ttlMs }
}
