import { type Committed, type Registry, revoke } from '../registry/index.js'
import type { Jwt } from './jwt.js'

/**
 * Revokes a signing key that someone else may have, and every token issued until now, also those that
 * other keys signed: who has a key can put the id of any living token under its signature, and
 * connections may stand on what he made.
 *
 * First the key goes from the key set, then each partition commits, in one step, that the key is
 * revoked and its tokens are: from there on no instance gets an active answer for what the key signed,
 * or records a token that it is to sign, whatever the instance knows of the keys. When this throws, do
 * it again: the key may be gone and the tokens not.
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
