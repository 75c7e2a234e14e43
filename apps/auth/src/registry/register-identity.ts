import type { RegisteredIdentity, RegisterIdentity } from '@portcullis/contracts'
import { script } from '@portcullis/redis'
import { RegistryError } from './errors.js'
import { type IdentityReply, identityOf } from './identity-record.js'
import { partitionOf } from './ids.js'
import { hashOfCode, newCodeId, newRegistrationCode } from './registration-code.js'
import type { Registry } from './registry.js'
import { run } from './run.js'

const register = script<IdentityReply | 'identity_exists'>(
  new URL('../../src/registry/lua/register-identity.lua', import.meta.url),
)

/**
 * Creates an identity. The answer is the only time that its registration code is shown.
 *
 * @param code - the first registration code; by default 256 random bits.
 * @throws RegistryError `identity_exists`
 */
export async function registerIdentity(
  registry: Registry,
  body: RegisterIdentity,
  code: string = newRegistrationCode(),
): Promise<RegisteredIdentity> {
  const { identity, scopes, tokenTtlSeconds = '', labels = [], codeTtlSeconds = '' } = body
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    register,
    [
      keys.clock(partition),
      keys.identity(partition, identity),
      keys.codes(partition, identity),
      keys.identities(partition),
    ],
    [
      identity,
      scopes.join(' '),
      tokenTtlSeconds,
      labels.join(' '),
      hashOfCode(code),
      newCodeId(),
      codeTtlSeconds,
    ],
  )
  if (reply === 'identity_exists')
    throw new RegistryError(
      'identity_exists',
      `there is an identity "${identity}" already; choose another name, or change that one`,
    )
  return { ...identityOf(identity, reply), registrationCode: code }
}
