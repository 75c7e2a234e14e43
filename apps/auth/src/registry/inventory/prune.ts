import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const prune = script<number>(new URL('./prune.lua', import.meta.url))
const batchSize = 500

/**
 * Removes up to `max` expired tokens from an identity's index. Returns true when none are left.
 * Each issue removes a few; this removes the rest before a count.
 */
export async function pruneTokens(
  registry: Registry,
  partition: number,
  identity: string,
  max: number,
): Promise<boolean> {
  const keys = [
    registry.keys.index(partition, identity),
    registry.keys.expiring(partition, identity),
  ]
  for (let done = 0; done < max; done += batchSize) {
    if ((await run(registry, prune, keys, [batchSize])) < batchSize) {
      return true
    }
  }
  return false
}
