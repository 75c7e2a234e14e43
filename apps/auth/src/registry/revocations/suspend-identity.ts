import type { Identity } from '@portcullis/contracts/identities'
import { getIdentity } from '../identities/get.js'
import { newId, partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { type Committed, revokeIn } from './revoke.js'

/**
 * Suspends an identity: it gets no more tokens, and all that it has are revoked, in one step.
 * Suspending one that is suspended revokes once more.
 *
 * @throws RegistryError `identity_not_found`
 */
export async function suspendIdentity(
  registry: Registry,
  identity: string,
  reason?: string,
): Promise<{ identity: Identity; revocation: Committed }> {
  const partition = partitionOf(identity, registry.partitions)
  const revocation = await revokeIn(registry, {
    partition,
    id: newId(partition),
    selector: { identity },
    reason,
    change: 'suspend',
  })
  return { identity: await getIdentity(registry, identity), revocation }
}
