import { partitionsOf, type Registry } from '../registry.js'
import { guard } from '../run.js'

/** Returns how many parts of receipts are pending, in all partitions. */
export async function countPending(registry: Registry): Promise<number> {
  const { redis, keys } = registry
  const counts = await Promise.all(
    partitionsOf(registry).map((partition) => guard(redis.zcard(keys.pending(partition)))),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}
