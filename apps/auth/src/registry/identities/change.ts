import type { ChangeIdentity, Identity } from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { identityNotFound, lastAdministrator } from '../errors.js'
import { partitionOf } from '../ids.js'
import { mustAdminister, type Registry } from '../registry.js'
import { run } from '../run.js'
import { ceilingText } from './ceiling.js'
import { getIdentity } from './get.js'
import { type IdentityReply, identityOf } from './record.js'

const set = script<IdentityReply | 'identity_not_found' | 'last_administrator'>(
  new URL('./change.lua', import.meta.url),
)

/**
 * Changes the fields that the body names. Issued tokens keep their scopes; revoke them to narrow
 * those.
 *
 * @param ceiling - scopes that bound new keys, even if the identity gets more scopes later
 * @throws RegistryError `identity_not_found`, `last_administrator`
 */
export async function changeIdentity(
  registry: Registry,
  identity: string,
  { scopes, tokenTtlSeconds, labels, jwks, nodes }: ChangeIdentity,
  ceiling?: readonly string[],
): Promise<Identity> {
  const fields: [string, string][] = []
  if (scopes !== undefined) {
    fields.push(['scopes', scopes.join(' ')])
  }
  if (tokenTtlSeconds !== undefined) {
    fields.push(['tokenTtlSeconds', tokenTtlSeconds === null ? '' : String(tokenTtlSeconds)])
  }
  if (labels !== undefined) {
    fields.push(['labels', labels.join(' ')])
  }
  if (jwks !== undefined) {
    fields.push(
      ['jwks', jwks === null ? '' : JSON.stringify(jwks)],
      ['jwksCeiling', ceilingText(ceiling)],
    )
  }
  if (nodes !== undefined) {
    fields.push(['nodes', (nodes ?? []).join(' ')])
  }
  return fields.length === 0
    ? getIdentity(registry, identity)
    : setIdentity(registry, identity, fields)
}

/**
 * Lets a suspended identity get tokens again. Tokens that were revoked stay revoked. An active identity
 * is not changed.
 *
 * @throws RegistryError `identity_not_found`
 */
export function resumeIdentity(registry: Registry, identity: string): Promise<Identity> {
  return setIdentity(registry, identity, [['state', 'active']])
}

/** Sets fields of an identity's hash. */
async function setIdentity(
  registry: Registry,
  identity: string,
  fields: readonly (readonly [name: string, value: string])[],
): Promise<Identity> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    set,
    [keys.identity(partition, identity), keys.codes(partition, identity)],
    [mustAdminister(registry, identity), ...fields.flat()],
  )
  if (reply === 'identity_not_found') {
    throw identityNotFound(identity)
  }
  if (reply === 'last_administrator') {
    throw lastAdministrator(identity)
  }
  return identityOf(identity, reply)
}
