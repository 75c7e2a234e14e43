import { createHash } from 'node:crypto'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'

/**
 * Takes the id of a JWT that an identity has signed, once for all instances. Gives false when it was
 * taken before.
 *
 * @param keepSeconds - how long it is remembered; longer than the JWT could still be valid
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
  // By Redis's own clock from now on: an expiry by ours could be over there before it is here.
  return (await guard(redis.set(key, '1', 'EX', keepSeconds, 'NX'))) === 'OK'
}
