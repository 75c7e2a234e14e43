import { script } from '@portcullis/redis'
import { leaseTimes } from './lease-times.js'
import type { NodeInstance } from './nodes.js'
import { partitionsOf, type Registry } from './registry.js'
import { run } from './run.js'

const join = script<[before: string, last: string, since: string]>(
  new URL('../../src/registry/lua/partition-clock.lua', import.meta.url),
  new URL('../../src/registry/lua/lease.lua', import.meta.url),
  new URL('../../src/registry/lua/join-node.lua', import.meta.url),
)

export interface Joined {
  /**
   * Where the feed ended in each partition when the node entered there. A node without a cursor of
   * its own starts here, not at a `feedEnd` read later: a revocation between would wait for a node
   * that never hears of it.
   */
  cursor: string
  /** Since when it has the name, in Unix milliseconds of each partition: to be said in renewals. */
  since: readonly number[]
  /** Another process that had this name until now; it is waited for until its lease is out. */
  replaced?: string
}

/**
 * Makes a node one that every receipt waits for. Joining again as the same instance changes nothing
 * but the url.
 */
export async function joinNode(
  registry: Registry,
  { node, instance, url = '' }: NodeInstance & { url?: string | undefined },
): Promise<Joined> {
  const { keys } = registry
  const { fenceMs } = leaseTimes(registry.leaseMs)
  const replies = await Promise.all(
    partitionsOf(registry).map((partition) =>
      run(
        registry,
        join,
        [
          keys.clock(partition),
          keys.nodes(partition),
          keys.leases(partition),
          keys.feed(partition),
        ],
        [node, instance, url, fenceMs],
      ),
    ),
  )
  const replaced = replies.find(([before]) => before !== '' && before !== instance)?.[0]
  return {
    cursor: replies.map(([, last]) => last).join(','),
    since: replies.map(([, , since]) => Number(since)),
    ...(replaced === undefined ? {} : { replaced }),
  }
}
