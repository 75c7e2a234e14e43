import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const prune = script<number>(new URL('./prune.lua', import.meta.url))
const atOnce = 500

/**
 * Takes tokens that have expired out of an identity's index, so that what is counted there is alive.
 * Each issue does some of it; this is for the rest. Gives whether all are out, after `most` at most.
 */
export async function pruneTokens(
  registry: Registry,
  partition: number,
  identity: string,
  most: number,
): Promise<boolean> {
  const keys = [
    registry.keys.index(partition, identity),
    registry.keys.expiring(partition, identity),
  ]
  for (let done = 0; done < most; done += atOnce) {
    if ((await run(registry, prune, keys, [atOnce])) < atOnce) {
      return true
    }
  }
  return false
}
