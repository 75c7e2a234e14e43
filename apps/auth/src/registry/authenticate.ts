import type { Identity } from '@portcullis/contracts'
import { script } from '@portcullis/redis'
import { identitySuspended, RegistryError } from './errors.js'
import { codeOf, type IdentityReply, identityOf } from './identity-record.js'
import { partitionOf } from './ids.js'
import { hashOfCode } from './registration-code.js'
import type { Registry } from './registry.js'
import { run } from './run.js'

const lookUp = script<[code: string | null, identity: IdentityReply]>(
  new URL('../../src/registry/lua/authenticate.lua', import.meta.url),
)

export interface Authenticated {
  identity: Identity
}

/**
 * Checks a registration code. Codes are looked up by their hash, so no comparison tells by its
 * time how much of a guess was right.
 *
 * @throws RegistryError `invalid_client`, alike for an unknown identity and for a code that is wrong
 * or has expired; `identity_suspended` only to someone whose code is right
 */
export async function authenticate(
  registry: Registry,
  identity: string,
  code: string,
): Promise<Authenticated> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const [value, reply] = await run(
    registry,
    lookUp,
    [keys.identity(partition, identity), keys.codes(partition, identity)],
    [hashOfCode(code)],
  )
  const found = identityOf(identity, reply)
  // identityOf leaves out the codes that have expired.
  const id = value === null ? undefined : codeOf(value).id
  if (reply[0].length === 0 || !found.registrationCodes.some((info) => info.id === id))
    throw new RegistryError(
      'invalid_client',
      'the identity or its registration code is wrong, or the code has expired',
    )
  if (found.state !== 'active') throw identitySuspended(identity)
  return { identity: found }
}
