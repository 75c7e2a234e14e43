import type { ChangeIdentity, Identity } from '@portcullis/contracts/identities'
import type { Registry } from '../registry.js'
import { ceilingText } from './ceiling.js'
import { getIdentity } from './get.js'
import { setIdentity } from './set.js'

/**
 * Changes what the body names and leaves the rest. Tokens already issued keep the scopes they were
 * issued with: to narrow those, revoke them.
 *
 * @param ceiling - scopes that new keys are good for at most, whatever the identity gets later
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
