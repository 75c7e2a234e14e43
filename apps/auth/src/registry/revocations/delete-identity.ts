import { newId, partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { type Committed, revokeAndCount } from './revoke.js'

/**
 * Deletes an identity with its registration codes, and revokes all its tokens, in one step. Its
 * cut-offs are kept as long as its tokens could live, so a later identity of the same name does not
 * inherit them.
 *
 * @throws RegistryError `identity_not_found`
 */
export function deleteIdentity(registry: Registry, identity: string): Promise<Committed> {
  const partition = partitionOf(identity, registry.partitions)
  return revokeAndCount(registry, {
    partition,
    id: newId(partition),
    selector: { identity },
    change: 'delete',
  })
}
