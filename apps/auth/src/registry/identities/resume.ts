import type { Identity } from '@portcullis/contracts/identities'
import type { Registry } from '../registry.js'
import { setIdentity } from './set.js'

/**
 * Lets a suspended identity get tokens again; what suspending revoked stays revoked. An identity
 * that is active stays as it is.
 *
 * @throws RegistryError `identity_not_found`
 */
export function resumeIdentity(registry: Registry, identity: string): Promise<Identity> {
  return setIdentity(registry, identity, [['state', 'active']])
}
