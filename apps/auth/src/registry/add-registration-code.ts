import type {
  AddedRegistrationCode,
  AddRegistrationCode,
  RegistrationCodeInfo,
} from '@portcullis/contracts'
import { script } from '@portcullis/redis'
import { identityNotFound, RegistryError } from './errors.js'
import { codeOf } from './identity-record.js'
import { partitionOf } from './ids.js'
import { hashOfCode, newCodeId, newRegistrationCode } from './registration-code.js'
import type { Registry } from './registry.js'
import { run } from './run.js'

const add = script<string>(
  new URL('../../src/registry/lua/add-registration-code.lua', import.meta.url),
)

/** Enough for rotation in several places at once, few enough to look through. */
const maxCodes = 8

/**
 * Gives an identity one more registration code; the answer is the only time that it is shown.
 * With `expireOthersInSeconds` it is a rotation: the others stop working then.
 *
 * @throws RegistryError `identity_not_found`; `too_many_codes` when eight work already
 */
export async function addRegistrationCode(
  registry: Registry,
  identity: string,
  body: AddRegistrationCode,
): Promise<AddedRegistrationCode> {
  const registrationCode = newRegistrationCode()
  const code = { id: newCodeId(), hash: hashOfCode(registrationCode) }
  const info = await addCode(registry, identity, body, code)
  return { ...info, registrationCode }
}

/** Adds the code that has this hash. When it is there and works this does nothing, and gives its own id. */
export async function addCode(
  registry: Registry,
  identity: string,
  { ttlSeconds, expireOthersInSeconds }: AddRegistrationCode,
  { id, hash }: { id: string; hash: string },
): Promise<RegistrationCodeInfo> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    add,
    [keys.identity(partition, identity), keys.codes(partition, identity)],
    [hash, id, ttlSeconds ?? '', expireOthersInSeconds ?? '', maxCodes],
  )
  if (reply === 'identity_not_found') throw identityNotFound(identity)
  if (reply === 'too_many_codes')
    throw new RegistryError(
      'too_many_codes',
      `identity "${identity}" has ${maxCodes} registration codes; remove one first`,
    )
  return codeOf(reply)
}
