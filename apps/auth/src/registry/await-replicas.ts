import { commandTimeoutMs, type Pool, type Redis } from '@portcullis/redis'
import { receiptPartitions } from './get-receipt.js'
import type { Registry } from './registry.js'
import { unavailable } from './run.js'
import { setReceipt } from './set-receipt.js'

/** WAIT blocks its connection, which gives a command up after `commandTimeoutMs`. */
const longestMs = commandTimeoutMs - 500

/** Connections of the role `waiting`, one for each revocation that waits. */
export type WaitingConnections = Pool

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
  const replicas = await waiting
    .lend((redis) => countReplicas(redis, registry, id, asked, remainingMs()), remainingMs())
    .catch(() => 0)
  const kept = await Promise.all(
    receiptPartitions(registry, id).map((partition) =>
      setReceipt(registry, partition, id, { replicas, replicasAsked: asked }),
    ),
  )
  if (kept.includes(false)) throw unavailable(new Error('the revocation was lost in a failover'))
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
 * On a Cluster each primary has a stream of its own: write and WAIT go to the node that has the
 * slot of the partition, one pair for each such node, and the smallest count is the answer.
 */
async function countReplicas(
  redis: Redis,
  registry: Registry,
  id: string,
  asked: number,
  withinMs: number,
): Promise<number> {
  const pipeline = redis.pipeline()
  const partitions = receiptPartitions(registry, id)
  for (const partition of partitions)
    pipeline.pexpire(registry.keys.receipt(partition, id), registry.receiptTtlSeconds * 1000)
  pipeline.wait(asked, withinMs)
  const replies = (await pipeline.exec()) ?? []
  const failed = replies.find(([error]) => error !== null)?.[0]
  if (failed != null) throw failed
  const written = replies.slice(0, partitions.length).every(([, reply]) => reply === 1)
  return written ? Number(replies.at(-1)?.[1] ?? 0) : 0
}
