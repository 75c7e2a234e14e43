import type { ClientMetadata } from '@portcullis/contracts/clients'
import type { Identity, RegisterIdentity } from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { codeRemoved, RegistryError } from '../errors.js'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { ceilingText } from './ceiling.js'
import { type IdentityReply, identityOf } from './record.js'
import { hashOfCode, newCodeId } from './registration-code.js'

const create = script<IdentityReply | 'identity_exists' | 'code_removed'>(
  new URL('./create.lua', import.meta.url),
)

/** The credentials of a new identity, besides the keys in its `jwks`. */
export interface Proofs {
  registrationCode?: string | undefined
  /** Lets the holder change the registration (RFC 7592). */
  registrationToken?: string
  /** Scopes that bound each of these and the keys, even if the identity gets more scopes later. */
  ceiling?: readonly string[] | undefined
}

/**
 * Creates an identity.
 *
 * @throws RegistryError `identity_exists`, `code_removed`
 */
export async function createIdentity(
  registry: Registry,
  body: RegisterIdentity & { client?: ClientMetadata },
  { registrationCode, registrationToken, ceiling }: Proofs,
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
      keys.removedCodes(partition, identity),
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
      ceilingText(ceiling),
      (body.nodes ?? []).join(' '),
    ],
  )
  if (reply === 'identity_exists') {
    throw new RegistryError(
      'identity_exists',
      `identity "${identity}" exists already; choose another name, or change that identity`,
    )
  }
  if (reply === 'code_removed') {
    throw codeRemoved(identity)
  }
  return identityOf(identity, reply)
}
