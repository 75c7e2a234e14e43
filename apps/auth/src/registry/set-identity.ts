import type { Identity } from '@portcullis/contracts'
import { script } from '@portcullis/redis'
import { identityNotFound } from './errors.js'
import { type IdentityReply, identityOf } from './identity-record.js'
import { partitionOf } from './ids.js'
import type { Registry } from './registry.js'
import { run } from './run.js'

const change = script<IdentityReply | 'identity_not_found'>(
  new URL('../../src/registry/lua/change-identity.lua', import.meta.url),
)

/** Sets fields of an identity's hash. @throws RegistryError `identity_not_found` */
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
    fields.flat(),
  )
  if (reply === 'identity_not_found') throw identityNotFound(identity)
  return identityOf(identity, reply)
}
