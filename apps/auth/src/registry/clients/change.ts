import type { Identity } from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { identitySuspended, lastAdministrator } from '../errors.js'
import { type IdentityReply, identityOf } from '../identities/record.js'
import { hashOfCode, newCodeId, newRegistrationCode } from '../identities/registration-code.js'
import { partitionOf } from '../ids.js'
import { mustAdminister, type Registry } from '../registry.js'
import { run } from '../run.js'
import { hasCode, type Registration } from './register.js'

const change = script<
  [...IdentityReply, added: 0 | 1] | 'not_registered' | 'identity_suspended' | 'last_administrator'
>(new URL('./change.lua', import.meta.url))

/** A registration after the change. */
export interface ChangedClient {
  identity: Identity
  /** A new code, when the client needs one and none worked; shown only here. */
  registrationCode?: string
}

/**
 * Replaces a client's registration. A client that changes to `private_key_jwt` loses its
 * registration codes. Issued tokens keep their scopes.
 *
 * @returns undefined in the same cases as `findClient`
 * @throws RegistryError `identity_suspended`, `last_administrator`
 */
export async function changeClient(
  registry: Registry,
  identity: string,
  registrationToken: string,
  { scopes, jwks, client }: Registration,
): Promise<ChangedClient | undefined> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const registrationCode = newRegistrationCode()
  const reply = await run(
    registry,
    change,
    [
      keys.identity(partition, identity),
      keys.codes(partition, identity),
      keys.removedCodes(partition, identity),
    ],
    [
      hashOfCode(registrationToken),
      scopes.join(' '),
      jwks === undefined ? '' : JSON.stringify(jwks),
      JSON.stringify(client),
      hasCode(client) ? hashOfCode(registrationCode) : '',
      newCodeId(),
      mustAdminister(registry, identity),
    ],
  )
  if (reply === 'identity_suspended') {
    throw identitySuspended(identity)
  }
  if (reply === 'last_administrator') {
    throw lastAdministrator(identity)
  }
  if (reply === 'not_registered') {
    return undefined
  }
  const [hash, codes, nowMs, added] = reply
  return {
    identity: identityOf(identity, [hash, codes, nowMs]),
    ...(added === 1 ? { registrationCode } : {}),
  }
}
