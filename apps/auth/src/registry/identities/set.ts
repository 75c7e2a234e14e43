import type { Identity } from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { identityNotFound, lastAdministrator } from '../errors.js'
import { partitionOf } from '../ids.js'
import { isGuarded, type Registry } from '../registry.js'
import { run } from '../run.js'
import { type IdentityReply, identityOf } from './record.js'

const change = script<IdentityReply | 'identity_not_found' | 'last_administrator'>(
  new URL('./set.lua', import.meta.url),
)

/** Sets fields of an identity's hash. @throws RegistryError `identity_not_found`, `last_administrator` */
export async function setIdentity(
  registry: Registry,
  identity: string,
  fields: readonly (readonly [name: string, value: string])[],
): Promise<Identity> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    change,
    [keys.identity(partition, identity), keys.codes(partition, identity)],
    [isGuarded(registry, identity), ...fields.flat()],
  )
  if (reply === 'identity_not_found') {
    throw identityNotFound(identity)
  }
  if (reply === 'last_administrator') {
    throw lastAdministrator(identity)
  }
  return identityOf(identity, reply)
}
