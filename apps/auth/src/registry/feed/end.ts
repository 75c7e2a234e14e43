import { partitionsOf, type Registry } from '../registry.js'
import { guard } from '../run.js'

/** Returns the position after the last event of each partition. */
export async function feedEnd(registry: Registry): Promise<string> {
  const { redis, keys } = registry
  const ends = await Promise.all(
    partitionsOf(registry).map(async (partition) => {
      const [last] = await guard(redis.xrevrange(keys.feed(partition), '+', '-', 'COUNT', 1))
      return last?.[0] ?? '0-0'
    }),
  )
  return ends.join(',')
}
