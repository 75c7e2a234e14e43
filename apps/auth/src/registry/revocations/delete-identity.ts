import { newId, partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { type Committed, revokeIn } from './revoke.js'

/**
 * Deletes an identity and its registration codes, and revokes all its tokens, in one step. Its
 * cut-offs stay as long as its tokens could live, so an identity of the same name that comes later
 * gets only its own tokens.
 *
 * @throws RegistryError `identity_not_found`
 */
export function deleteIdentity(registry: Registry, identity: string): Promise<Committed> {
  const partition = partitionOf(identity, registry.partitions)
  return revokeIn(registry, {
    partition,
    id: newId(partition),
    selector: { identity },
    change: 'delete',
  })
}
