import { defined } from '@portcullis/contracts/defined'
import { script } from '@portcullis/redis'
import { nodeNameTaken, nodeReplaced } from '../errors.js'
import { leaseTimes } from '../lease-times.js'
import { partitionsOf, type Registry } from '../registry.js'
import { run } from '../run.js'
import type { NodeInstance } from './record.js'

const join = script<
  [before: string, last: string, since: string] | 'node_name_taken' | 'node_replaced'
>(new URL('./join.lua', import.meta.url))

/** A process that sends hello. */
export interface Joining extends NodeInstance {
  /** The identity that the node belongs to. */
  identity: string
  /** `Joined.since` of its first join. */
  since?: number | undefined
  url?: string | undefined
}

export interface Joined {
  /**
   * Where the feed of each partition ended when the process joined there. A node without a cursor
   * starts here; with a `feedEnd` read later it could miss a revocation that waits for it.
   */
  cursor: string
  /**
   * When the process got the name, in microseconds of the first partition; sent with renewals and
   * later joins.
   */
  since: number
  /** False when the process had the name already. */
  isNew: boolean
  /** The process that had the name before. Revocations wait for it until its lease has run out. */
  replaced?: string
}

/**
 * Makes every later revocation wait for a process. Joining again as the same instance changes only
 * the url. When two processes use one name, the one whose first join was later keeps it, in
 * whichever order they join again: the first partition decides, and the others follow.
 *
 * @throws RegistryError `node_name_taken` when the name belongs to another identity;
 * `node_replaced` when a later process has it
 */
export async function joinNode(registry: Registry, joining: Joining): Promise<Joined> {
  const first = await joinPartition(registry, 0, joining)
  const since = Number(first[2])
  const others = partitionsOf(registry).slice(1)
  const replies = [
    first,
    ...(await Promise.all(
      others.map((partition) => joinPartition(registry, partition, { ...joining, since })),
    )),
  ]
  const { instance } = joining
  const replaced = replies.find(([before]) => before !== '' && before !== instance)?.[0]
  return {
    cursor: replies.map(([, last]) => last).join(','),
    since,
    isNew: first[0] !== instance,
    ...defined({ replaced }),
  }
}

async function joinPartition(
  registry: Registry,
  partition: number,
  { node, instance, identity, since = undefined, url = '' }: Joining,
): Promise<[before: string, last: string, since: string]> {
  const { keys } = registry
  const reply = await run(
    registry,
    join,
    [keys.clock(partition), keys.nodes(partition), keys.leases(partition), keys.feed(partition)],
    [node, instance, url, leaseTimes(registry.leaseMs).fenceMs, identity, since ?? ''],
  )
  if (reply === 'node_name_taken') {
    throw nodeNameTaken(node)
  }
  if (reply === 'node_replaced') {
    throw nodeReplaced(node)
  }
  return reply
}
