import { script } from '@portcullis/redis'
import { partitionsOf, type Registry } from '../registry.js'
import { run } from '../run.js'
import { forgetNode } from './fence.js'
import type { NodeInstance } from './record.js'
import { settleReceiptParts } from './settle-receipt-parts.js'

const leave = script<string | null>(new URL('./leave.lua', import.meta.url))

/**
 * Records a process's bye. The process has closed every connection, so its pending parts are
 * acknowledged, and no later revocation waits for it. Do not call this for a process that only
 * disconnected: it may still hold connections.
 */
export async function leaveNode(registry: Registry, node: NodeInstance): Promise<void> {
  await Promise.all(
    partitionsOf(registry).map(async (partition) => {
      const { keys } = registry
      // Fence before settling, so that no new part can wait in between. If this process ends here,
      // the next fencer settles the rest.
      const us = await run(
        registry,
        leave,
        [keys.clock(partition), keys.nodes(partition), keys.leases(partition)],
        [node.node, node.instance],
      )
      await settleReceiptParts(registry, node, partition, { closed: new Map(), position: 0 })
      if (us !== null) {
        await forgetNode(registry, { ...node, partition, fencedUs: Number(us) })
      }
    }),
  )
}
