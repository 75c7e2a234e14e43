import type { Commands } from '@portcullis/redis'
import { BrokerError } from './errors.js'

/** So many are spread evenly over any Cluster of ordinary size. */
const onCluster = 64

/**
 * How many partitions the channels under a prefix are in: as the first node has recorded it.
 *
 * @param configured - undefined: 1, or 64 on a Cluster
 * @throws BrokerError partitions_mismatch: nodes that spread channels differently would not hear each other
 */
export async function agreeOnPartitions(
  redis: Commands,
  prefix: string,
  configured = redis.isCluster ? onCluster : 1,
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
