import { script } from '@portcullis/redis'
import type { NodeInstance } from './nodes.js'
import { partitionsOf, type Registry } from './registry.js'
import { run } from './run.js'
import { settle } from './settle.js'

const leave = script<null>(new URL('../../src/registry/lua/leave-node.lua', import.meta.url))

/**
 * Records a node's bye. It has closed every connection, so no revocation waits for it any more, and
 * those that do are acknowledged with no further connection closed. To be called for a bye alone:
 * a node that is only gone may still hold connections.
 */
export async function leaveNode(registry: Registry, node: NodeInstance): Promise<void> {
  await Promise.all(
    partitionsOf(registry).map(async (partition) => {
      const { keys } = registry
      // First out, then settled: nothing new can wait for it between the two.
      await run(
        registry,
        leave,
        [keys.nodes(partition), keys.leases(partition)],
        [node.node, node.instance],
      )
      await settle(registry, node, partition, { closed: new Map(), position: 0 })
    }),
  )
}
