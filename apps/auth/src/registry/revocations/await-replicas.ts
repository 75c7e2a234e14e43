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

/** WAIT blocks its connection, which gives a command up after `commandTimeoutMs`. */
const longestMs = commandTimeoutMs - 500

/** Revocations that may wait for replicas of one master at the same time; more wait for these first. */
const connectionsAtOnce = 16

/** Connections of the role `waiting` to each master, one for each revocation that waits. */
export type WaitingConnections = PerMaster<Pool>

/** Opens them; connects to nothing yet. */
export function openWaiting(registry: Registry, masters: Masters): WaitingConnections {
  return perMaster(masters, {
    slots: slotsOf(registry),
    make: (master) => openPool({ make: () => master.connect('waiting'), size: connectionsAtOnce }),
    end: (pool) => pool.close(),
  })
}

export interface ReplicaWait {
  /** Replicas that are to have it, 1 or more. */
  asked: number
  /** How long to wait for them, in milliseconds; never longer than 1500. */
  withinMs: number
}

/**
 * Waits until as many replicas as asked have a revocation that is committed, or the time is over,
 * and keeps with the receipt how many it were. Fewer are no error: the revocation is committed, and
 * the receipt says it. When the wait itself fails nothing is known of any replica: 0.
 *
 * @param waiting - what it blocks; the connection of the commit goes on meanwhile
 * @returns how many replicas have it
 * @throws RegistryError `registry_unavailable` when the primary does not have the revocation: it
 * was lost in a failover, and has to be made again
 */
export async function awaitReplicas(
  registry: Registry,
  waiting: WaitingConnections,
  id: string,
  { asked, withinMs }: ReplicaWait,
): Promise<number> {
  const deadline = performance.now() + Math.min(withinMs, longestMs)
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
  // Of a partition that no master has nobody knows.
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
 * WAIT counts the replicas that have everything which its own connection wrote. So this connection
 * writes too, after the commit: it sets the receipt's time to live anew. The replication stream is
 * one line, so whoever has this write has the commit, which came before it on the same primary.
 *
 * Write and WAIT leave together, on one connection: on another that had written nothing WAIT would
 * count every replica there is.
 *
 * On a Cluster each primary has a stream of its own: write and WAIT go to the one that has the slots
 * of these partitions, a pair for each primary, and the smallest count is the answer. One that has a
 * slot no more says MOVED, and nothing is known.
 */
async function countReplicas(
  redis: Redis,
  registry: Registry,
  { id, partitions, asked, withinMs }: ReplicaWait & { id: string; partitions: readonly number[] },
): Promise<number> {
  const { keys, receiptTtlSeconds } = registry
  // Sent in one turn, so in one piece: a pipeline of a Cluster's client would keep to one slot.
  const written = partitions.map((partition) =>
    redis.pexpire(keys.receipt(partition, id), receiptTtlSeconds * 1000),
  )
  const [replicas, ...kept] = await Promise.all([redis.wait(asked, withinMs), ...written])
  return kept.every((one) => one === 1) ? replicas : 0
}

/** The partitions of a receipt, by the master that has them. */
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
