import type { Identity } from '@portcullis/contracts/identities'
import { getIdentity } from '../identities/get.js'
import { newId, partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { type Committed, revokeAndCount } from './revoke.js'

/**
 * Suspends an identity: it gets no new tokens, and all its tokens are revoked, in one step.
 * Suspending a suspended identity revokes its tokens again.
 *
 * @throws RegistryError `identity_not_found`
 */
export async function suspendIdentity(
  registry: Registry,
  identity: string,
  reason?: string,
): Promise<{ identity: Identity; revocation: Committed }> {
  const partition = partitionOf(identity, registry.partitions)
  const revocation = await revokeAndCount(registry, {
    partition,
    id: newId(partition),
    selector: { identity },
    reason,
    change: 'suspend',
  })
  return { identity: await getIdentity(registry, identity), revocation }
}
