import { script } from '@portcullis/redis'
import { nodeNameTaken, nodeReplaced } from '../errors.js'
import { leaseTimes } from '../lease-times.js'
import { partitionsOf, type Registry } from '../registry.js'
import { run } from '../run.js'
import type { NodeInstance } from './record.js'

const join = script<
  [before: string, last: string, since: string] | 'node_name_taken' | 'node_replaced'
>(new URL('./join.lua', import.meta.url))

/** A process that says hello. */
export interface Joining extends NodeInstance {
  /** Whose node it is. */
  identity: string
  /** `Joined.since` of its first join. */
  since?: number | undefined
  url?: string | undefined
}

export interface Joined {
  /**
   * Where the feed ended in each partition when the node entered there. A node without a cursor of
   * its own starts here, not at a `feedEnd` read later: a revocation between would wait for a node
   * that never hears of it.
   */
  cursor: string
  /**
   * Since when it has the name, in microseconds of the first partition: to be said in renewals, and
   * when it joins again.
   */
  since: number
  /** Whether the name was not this process's until now. */
  isNew: boolean
  /** Another process that had this name until now; it is waited for until its lease is out. */
  replaced?: string
}

/**
 * Makes a node one that every receipt waits for. Joining again as the same instance changes nothing
 * but the url. Of two processes under one name the one that first joined later keeps it, whichever
 * comes last: the first partition decides the order, the others take it from there.
 *
 * @throws RegistryError `node_name_taken` when a node of another identity has the name;
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
    ...(replaced === undefined ? {} : { replaced }),
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
