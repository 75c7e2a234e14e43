import type {
  AddedRegistrationCode,
  AddRegistrationCode,
  RegistrationCodeInfo,
} from '@portcullis/contracts/identities'
import { script } from '@portcullis/redis'
import { codeRemoved, identityNotFound, lastAdministrator, RegistryError } from '../errors.js'
import { partitionOf } from '../ids.js'
import { mustAdminister, type Registry } from '../registry.js'
import { run } from '../run.js'
import { ceilingText } from './ceiling.js'
import { codeOf } from './record.js'
import { hashOfCode, newCodeId, newRegistrationCode } from './registration-code.js'

const add = script<string>(new URL('./add-registration-code.lua', import.meta.url))

/** Enough to rotate in several places at once. */
const maxCodes = 8

/**
 * Adds a registration code to an identity. The code is shown only in the returned value. With
 * `expireOthersInSeconds` this is a rotation: the other codes stop working after that time.
 *
 * @param ceiling - scopes that bound the code, even if the identity gets more scopes later
 * @throws RegistryError `identity_not_found`; `too_many_codes` when eight codes work already;
 * `last_administrator`
 */
export async function addRegistrationCode(
  registry: Registry,
  identity: string,
  body: AddRegistrationCode,
  ceiling?: readonly string[],
): Promise<AddedRegistrationCode> {
  const registrationCode = newRegistrationCode()
  const code = { id: newCodeId(), hash: hashOfCode(registrationCode) }
  const info = await addCode(registry, identity, body, { ...code, ceiling })
  return { ...info, registrationCode }
}

/**
 * Adds the code with this hash. When that code exists and works, changes nothing and returns its
 * own id.
 *
 * @throws RegistryError as `addRegistrationCode`; `code_removed` when an administrator had the code
 * before
 */
export async function addCode(
  registry: Registry,
  identity: string,
  { ttlSeconds, expireOthersInSeconds }: AddRegistrationCode,
  { id, hash, ceiling }: { id: string; hash: string; ceiling?: readonly string[] | undefined },
): Promise<RegistrationCodeInfo> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    add,
    [
      keys.identity(partition, identity),
      keys.codes(partition, identity),
      keys.removedCodes(partition, identity),
    ],
    [
      hash,
      id,
      ttlSeconds ?? '',
      expireOthersInSeconds ?? '',
      maxCodes,
      ceilingText(ceiling),
      mustAdminister(registry, identity),
    ],
  )
  if (reply === 'identity_not_found') {
    throw identityNotFound(identity)
  }
  if (reply === 'too_many_codes') {
    throw new RegistryError(
      'too_many_codes',
      `identity "${identity}" has ${maxCodes} registration codes, the maximum; remove one first`,
    )
  }
  if (reply === 'code_removed') {
    throw codeRemoved(identity)
  }
  if (reply === 'last_administrator') {
    throw lastAdministrator(identity)
  }
  return codeOf(reply)
}
