import { script } from '@portcullis/redis'
import { partitionsOf, type Registry } from '../registry.js'
import { run } from '../run.js'
import { forgetNode } from './fence.js'
import type { NodeInstance } from './record.js'
import { settle } from './settle-receipt-parts.js'

const leave = script<string | null>(new URL('./leave.lua', import.meta.url))

/**
 * Records a node's bye. It has closed every connection, so no revocation waits for it any more, and
 * those that do are acknowledged with no further connection closed. To be called for a bye alone:
 * a node that is only gone may still hold connections.
 */
export async function leaveNode(registry: Registry, node: NodeInstance): Promise<void> {
  await Promise.all(
    partitionsOf(registry).map(async (partition) => {
      const { keys } = registry
      // First fenced, then settled: nothing new can wait for it between the two, and should this
      // process end here, the next fencer that looks settles the rest.
      const us = await run(
        registry,
        leave,
        [keys.clock(partition), keys.nodes(partition), keys.leases(partition)],
        [node.node, node.instance],
      )
      await settle(registry, node, partition, { closed: new Map(), position: 0 })
      if (us !== null) {
        await forgetNode(registry, { ...node, partition, fencedUs: Number(us) })
      }
    }),
  )
}
