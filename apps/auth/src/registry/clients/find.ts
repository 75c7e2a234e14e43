import type { Identity } from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { identitySuspended } from '../errors.js'
import { underCeiling } from '../identities/ceiling.js'
import { fieldsOf, type IdentityReply, identityOf } from '../identities/record.js'
import { hashOfCode } from '../identities/registration-code.js'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const find = script<IdentityReply | 'not_registered' | 'identity_suspended'>(
  new URL('./find.lua', import.meta.url),
)

/**
 * Returns the identity that has this registration access token, under the token's ceiling. Returns
 * undefined for an unknown identity, an identity without such a token, and a wrong token alike.
 *
 * @throws RegistryError `identity_suspended`, only when the token is correct
 */
export async function findClient(
  registry: Registry,
  identity: string,
  registrationToken: string,
): Promise<Identity | undefined> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    find,
    [keys.identity(partition, identity), keys.codes(partition, identity)],
    [hashOfCode(registrationToken)],
  )
  if (reply === 'identity_suspended') {
    throw identitySuspended(identity)
  }
  if (reply === 'not_registered') {
    return undefined
  }
  return underCeiling(identityOf(identity, reply), fieldsOf(reply[0]).get('registrationCeiling'))
}
