import { script } from '@portcullis/redis'
import { cursorPart } from '../cursor.js'
import { nodeNotJoined, nodeReplaced } from '../errors.js'
import { leaseTimes } from '../lease-times.js'
import { partitionsOf, type Registry } from '../registry.js'
import { run } from '../run.js'
import type { Joined } from './join.js'
import type { NodeInstance } from './record.js'

const renew = script<
  [counted: 0 | 1, end: string, mark: string] | 'node_replaced' | 'node_not_joined'
>(new URL('./renew-lease.lua', import.meta.url))

/** Where the feed of a partition ended, and in which Redis, after a renewal had been asked for. */
export interface AskedAt {
  /** Id of the last event. */
  end: string
  /** As `Lease.run`. */
  run: string
}

export interface Renewed {
  /** Whether it counts, in every partition. */
  counted: boolean
  /**
   * Where the feed ended in each partition. When it counts: the node may have been fenced until then,
   * so it may deliver only after it has applied everything up to here. When it does not: once the node
   * has acknowledged everything up to here it will, if it is tried again with `askedAt`.
   */
  cursor: string
  /** By partition. */
  askedAt: readonly AskedAt[]
  /** How long it may deliver, in milliseconds, from when it asked. */
  ttlMs: number
}

/**
 * Counts a renewal of a node's lease, in every partition in which no revocation waits for the node that
 * was committed before the node asked. `askedAt` says where the feed ended after that, as an earlier
 * call for the same renewal has given it; without it no revocation may wait at all.
 *
 * So as long as a revocation waits for a node, what counts was asked for before its commit, however
 * late it comes here: `fenceNode` with `overdueUs` rests on that.
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
  askedAt: readonly AskedAt[] = [],
): Promise<Renewed> {
  const { keys } = registry
  const { fenceMs, ttlMs } = leaseTimes(registry.leaseMs)
  const replies = await Promise.all(
    partitionsOf(registry).map((partition) => {
      const asked = askedAt[partition]
      return run(
        registry,
        renew,
        [
          keys.nodes(partition),
          keys.leases(partition),
          keys.feed(partition),
          keys.clock(partition),
          keys.pending(partition),
        ],
        [
          node,
          instance,
          fenceMs,
          since,
          asked === undefined ? '' : (cursorPart(asked.end)?.us ?? 0),
          asked?.run ?? '',
        ],
      )
    }),
  )
  if (replies.includes('node_replaced')) {
    throw nodeReplaced(node)
  }
  const counts = replies.filter((reply) => typeof reply !== 'string')
  if (counts.length < replies.length) {
    throw nodeNotJoined(node)
  }
  return {
    counted: counts.every(([counted]) => counted === 1),
    cursor: counts.map(([, end]) => end).join(','),
    askedAt: counts.map(([, end, mark]) => ({ end, run: mark })),
    ttlMs,
  }
}
