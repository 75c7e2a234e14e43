import {
  commandTimeoutMs,
  type Masters,
  openPool,
  type PerMaster,
  type Pool,
  perMaster,
  type Redis,
  slotOf,
} from '@portcullis/redis'
import { type Registry, slotsOf } from '../registry.js'
import { unavailable } from '../run.js'
import { receiptPartitions } from './get-receipt.js'
import { setReceipt } from './set-receipt.js'

/** WAIT blocks its connection, which drops a command after `commandTimeoutMs`. */
const maxWaitMs = commandTimeoutMs - 500

/** How many revocations can wait for the replicas of one master at once; others wait for these. */
const connectionsPerMaster = 16

/** A pool of `waiting` connections for each master; each revocation that waits takes one. */
export type WaitingConnections = PerMaster<Pool>

/** Creates the pools; connects on first use. */
export function openWaiting(registry: Registry, masters: Masters): WaitingConnections {
  return perMaster(masters, {
    slots: slotsOf(registry),
    make: (master) =>
      openPool({ make: () => master.connect('waiting'), size: connectionsPerMaster }),
    end: (pool) => pool.close(),
  })
}

export interface ReplicaWait {
  /** The number of replicas to wait for, 1 or more. */
  asked: number
  /** How long to wait, in milliseconds; at most 1500. */
  withinMs: number
}

/**
 * Waits until `asked` replicas have a committed revocation, or the time is over, and stores the
 * number of replicas in the receipt. Fewer replicas are not an error: the revocation is committed,
 * and the receipt shows the number. When WAIT itself fails, the number is 0.
 *
 * @param waiting - connections of their own, because WAIT blocks its connection
 * @returns the number of replicas that have the revocation
 * @throws RegistryError `registry_unavailable` when the primary does not have the revocation: a
 * failover lost it, and the caller must revoke again
 */
export async function awaitReplicas(
  registry: Registry,
  waiting: WaitingConnections,
  id: string,
  { asked, withinMs }: ReplicaWait,
): Promise<number> {
  const deadline = performance.now() + Math.min(withinMs, maxWaitMs)
  const remainingMs = () => Math.max(1, Math.floor(deadline - performance.now()))
  const counts = await Promise.all(
    byMaster(registry, waiting, id).map(([pool, partitions]) =>
      pool
        ?.lend(
          (redis) =>
            countReplicas(redis, registry, { id, partitions, asked, withinMs: remainingMs() }),
          remainingMs(),
        )
        .catch(() => 0),
    ),
  )
  // A partition without a master counts as 0.
  const replicas = Math.min(...counts.map((count) => count ?? 0))
  const kept = await Promise.all(
    receiptPartitions(registry, id).map((partition) =>
      setReceipt(registry, partition, id, { replicas, replicasAsked: asked }),
    ),
  )
  if (kept.includes(false)) {
    throw unavailable(new Error('the revocation was lost in a failover'))
  }
  return replicas
}

/**
 * WAIT counts the replicas that have everything that its own connection wrote. So this connection
 * writes too, after the commit: it sets the receipt's expiry again. Replication is ordered, so a
 * replica that has this write also has the commit before it on the same primary.
 *
 * Both commands must use one connection: on a connection that has written nothing, WAIT would count
 * every replica.
 *
 * On a Cluster each primary replicates on its own: this runs once per primary, with the partitions
 * in its slots, and the smallest count is used. A primary that has lost a slot answers MOVED, which
 * makes the count 0.
 */
async function countReplicas(
  redis: Redis,
  registry: Registry,
  { id, partitions, asked, withinMs }: ReplicaWait & { id: string; partitions: readonly number[] },
): Promise<number> {
  const { keys, receiptTtlSeconds } = registry
  // Sent in one turn, so that both arrive together; a pipeline of ioredis' Cluster client is
  // limited to one slot.
  const written = partitions.map((partition) =>
    redis.pexpire(keys.receipt(partition, id), receiptTtlSeconds * 1000),
  )
  const [replicas, ...kept] = await Promise.all([redis.wait(asked, withinMs), ...written])
  return kept.every((one) => one === 1) ? replicas : 0
}

/** Groups the partitions of a receipt by their master. */
function byMaster(
  registry: Registry,
  waiting: WaitingConnections,
  id: string,
): [Pool | undefined, number[]][] {
  const groups = new Map<Pool | undefined, number[]>()
  for (const partition of receiptPartitions(registry, id)) {
    const pool = waiting.of(slotOf(registry.keys.clock(partition)))
    groups.set(pool, [...(groups.get(pool) ?? []), partition])
  }
  return [...groups]
}
