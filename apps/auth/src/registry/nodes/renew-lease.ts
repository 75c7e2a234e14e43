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

/**
 * The end of a partition's feed, and the Redis that reported it, after the node had asked for a
 * renewal.
 */
export interface AskedAt {
  /** The id of the last event. */
  end: string
  /** As `Lease.run`. */
  run: string
}

export interface Renewed {
  /** True when the renewal counts in every partition. */
  counted: boolean
  /**
   * Where the feed of each partition ended. When the renewal counts, the node may have been fenced
   * until then, so it must apply every event up to here before it delivers. When it does not count,
   * it will once the node has acknowledged every event up to here and the caller tries again with
   * `askedAt`.
   */
  cursor: string
  /** One for each partition. */
  askedAt: readonly AskedAt[]
  /** How long the node may deliver, in milliseconds after it asked. */
  ttlMs: number
}

/**
 * Renews a node's lease in every partition in which no revocation waits for the node that was
 * committed before it asked. `askedAt` is the end of the feed after it asked, as an earlier call
 * for the same renewal returned it; without it, any waiting revocation prevents the renewal.
 *
 * So while a revocation waits for a node, every renewal that counts was asked for before the
 * commit, however late it arrives. `fenceNode` with `overdueUs` relies on that.
 *
 * `since` is the value that the join returned. A registry that went back to older data may know an
 * earlier process under the name, and must not prefer it to the newer one.
 *
 * @throws RegistryError `node_replaced` when another process has joined under the name since;
 * `node_not_joined` when the registry does not know the process (any more): it must send hello
 * again
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
