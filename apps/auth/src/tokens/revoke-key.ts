import { type Committed, type Registry, revoke } from '../registry/index.js'
import type { Jwt } from './jwt.js'

/**
 * Revokes a compromised signing key, and every token issued until now, also those that other keys
 * signed: whoever read the key may have seen tokens as well. The key alone makes no token active.
 *
 * First removes the key from the key set. Then each partition commits, in one step, the revocation
 * of the key and of its tokens. After that, no instance records a token that the key signs, even
 * with an outdated key set, and every token that was recorded before is revoked. If this throws,
 * call it again: the key may be removed without its tokens being revoked.
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
