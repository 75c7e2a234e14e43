import { createHash } from 'node:crypto'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'

/**
 * Records the use of a client assertion by its `jti`, for all instances. Returns false when the
 * `jti` was used before.
 *
 * @param keepSeconds - how long the use is remembered; must exceed the remaining lifetime of the
 * assertion
 * @throws RegistryError `registry_unavailable`
 */
export async function useOnce(
  registry: Registry,
  identity: string,
  jti: string,
  keepSeconds: number,
): Promise<boolean> {
  const { keys, partitions, redis } = registry
  const hash = createHash('sha256').update(jti).digest('base64url')
  const key = keys.usedJwt(partitionOf(identity, partitions), identity, hash)
  // A duration, not a time of this machine's clock, which may be ahead of Redis' clock.
  return (await guard(redis.set(key, '1', 'EX', keepSeconds, 'NX'))) === 'OK'
}
