import { type Committed, type Registry, revoke } from '../registry/index.js'
import type { Jwt } from './jwt.js'

/**
 * Revokes a compromised signing key, and every token issued until now, also those that other keys
 * signed: the holder of a key can sign a token with the id of any live token, and connect with it.
 *
 * First removes the key from the key set. Then each partition commits, in one step, the revocation
 * of the key and of its tokens. After that, no instance gets an active result for a token that the
 * key signed, or records a token for the key to sign, even with an outdated key set. If this
 * throws, call it again: the key may be removed without its tokens being revoked.
 *
 * @throws KeySetError `key_not_found`, `registry_unavailable`
 * @throws RegistryError `registry_unavailable`
 */
export async function revokeKey(
  registry: Registry,
  { keys }: Jwt,
  kid: string,
  reason: string | undefined,
): Promise<Committed> {
  await keys.remove(kid, registry.deadline)
  return revoke(registry, { selector: { all: true }, kid, reason })
}
