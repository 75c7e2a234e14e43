import type { Commands } from '@portcullis/redis'
import { BrokerError } from './errors.js'

/** Enough to spread channels evenly over the masters of a Cluster of ordinary size. */
const defaultOnCluster = 64

/**
 * Returns the number of partitions, which the first node under a prefix records in Redis.
 *
 * @param configured - default: 1, or 64 on a Cluster
 * @throws BrokerError partitions_mismatch: nodes with different numbers would not hear each other
 */
export async function agreeOnPartitions(
  redis: Commands,
  prefix: string,
  configured = redis.isCluster ? defaultOnCluster : 1,
): Promise<number> {
  const key = `${prefix}:realtime`
  await redis.hsetnx(key, 'partitions', configured)
  const recorded = Number(await redis.hget(key, 'partitions'))
  if (recorded === configured) {
    return configured
  }
  throw new BrokerError(
    'partitions_mismatch',
    `nodes under the prefix "${prefix}" spread channels over ${recorded} partitions, not ${configured}; set PARTITIONS=${recorded}, or another REDIS_PREFIX, or stop all nodes and delete the key "${key}"`,
  )
}
