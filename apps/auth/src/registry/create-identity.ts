import type { ClientMetadata, Identity, RegisterIdentity } from '@portcullis/contracts'
import { script } from '@portcullis/redis'
import { RegistryError } from './errors.js'
import { type IdentityReply, identityOf } from './identity-record.js'
import { partitionOf } from './ids.js'
import { hashOfCode, newCodeId } from './registration-code.js'
import type { Registry } from './registry.js'
import { run } from './run.js'

const create = script<IdentityReply | 'identity_exists'>(
  new URL('../../src/registry/lua/partition-clock.lua', import.meta.url),
  new URL('../../src/registry/lua/register-identity.lua', import.meta.url),
)

/** How a new identity may prove that it is the one, beside the keys that its `jwks` has. */
export interface Proofs {
  registrationCode?: string | undefined
  /** With which it may look after its own registration. */
  registrationToken?: string
}

/** Creates an identity. @throws RegistryError `identity_exists` */
export async function createIdentity(
  registry: Registry,
  body: RegisterIdentity & { client?: ClientMetadata },
  { registrationCode, registrationToken }: Proofs,
): Promise<Identity> {
  const { identity, scopes, tokenTtlSeconds = '', labels = [], codeTtlSeconds = '' } = body
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    create,
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
      registrationCode === undefined ? '' : hashOfCode(registrationCode),
      newCodeId(),
      codeTtlSeconds,
      body.jwks === undefined ? '' : JSON.stringify(body.jwks),
      body.client === undefined ? '' : JSON.stringify(body.client),
      registrationToken === undefined ? '' : hashOfCode(registrationToken),
    ],
  )
  if (reply === 'identity_exists')
    throw new RegistryError(
      'identity_exists',
      `there is an identity "${identity}" already; choose another name, or change that one`,
    )
  return identityOf(identity, reply)
}
