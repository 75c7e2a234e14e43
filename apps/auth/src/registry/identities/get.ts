import type { Identity } from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { identityNotFound } from '../errors.js'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { underCeiling } from './ceiling.js'
import { fieldsOf, type IdentityReply, identityOf } from './record.js'

const get = script<IdentityReply | 'identity_not_found'>(new URL('./get.lua', import.meta.url))

/**
 * Returns an identity.
 *
 * @throws RegistryError `identity_not_found`
 */
export async function getIdentity(registry: Registry, identity: string): Promise<Identity> {
  const found = await findIdentity(registry, identity)
  if (found === undefined) {
    throw identityNotFound(identity)
  }
  return found
}

/** Returns the identity, or undefined when it does not exist. */
export async function findIdentity(
  registry: Registry,
  identity: string,
): Promise<Identity | undefined> {
  const reply = await read(registry, identity)
  return reply === undefined ? undefined : identityOf(identity, reply)
}

/** Returns the identity under the ceiling of its keys, or undefined when it does not exist. */
export async function findSigner(
  registry: Registry,
  identity: string,
): Promise<Identity | undefined> {
  const reply = await read(registry, identity)
  if (reply === undefined) {
    return undefined
  }
  return underCeiling(identityOf(identity, reply), fieldsOf(reply[0]).get('jwksCeiling'))
}

async function read(registry: Registry, identity: string): Promise<IdentityReply | undefined> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    get,
    [keys.identity(partition, identity), keys.codes(partition, identity)],
    [],
  )
  return reply === 'identity_not_found' ? undefined : reply
}
