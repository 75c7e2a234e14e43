import { words } from '../identities/record.js'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'

/**
 * Returns the names, or prefixes of names, that an identity's nodes may have; undefined for any
 * name.
 */
export async function nodeNames(
  { redis, keys, partitions }: Registry,
  identity: string,
): Promise<readonly string[] | undefined> {
  const key = keys.identity(partitionOf(identity, partitions), identity)
  const names = words((await guard(redis.hget(key, 'nodes'))) ?? undefined)
  return names.length === 0 ? undefined : names
}
