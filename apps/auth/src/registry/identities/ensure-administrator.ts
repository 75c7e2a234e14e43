import { RegistryError } from '../errors.js'
import type { Registry } from '../registry.js'
import { addCode } from './add-registration-code.js'
import { registerIdentity } from './register.js'
import { hashOfCode, newCodeId } from './registration-code.js'

/**
 * What was created: the identity, a code (with its id), or nothing. `refused`: the code was removed
 * from the administrator, or has expired, and was not added again.
 */
export type AdministratorOutcome =
  | { made: 'nothing' | 'identity' | 'refused' }
  | { made: 'code'; code: string }

/**
 * Makes sure that the administrator's identity exists and that this code works: creates the
 * identity with the scope `admin`, or adds the code to the existing identity. A code that was
 * removed before is not added again: it may have leaked.
 *
 * @throws RegistryError `too_many_codes`
 */
export async function ensureAdministrator(
  registry: Registry,
  { identity, registrationCode }: { identity: string; registrationCode: string },
): Promise<AdministratorOutcome> {
  try {
    return await ensure(registry, identity, registrationCode)
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'code_removed') {
      throw error
    }
    return { made: 'refused' }
  }
}

async function ensure(
  registry: Registry,
  identity: string,
  registrationCode: string,
): Promise<AdministratorOutcome> {
  try {
    await registerIdentity(registry, { identity, scopes: ['admin'] }, { registrationCode })
    return { made: 'identity' }
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'identity_exists') {
      throw error
    }
  }
  const id = newCodeId()
  const code = await addCode(registry, identity, {}, { id, hash: hashOfCode(registrationCode) })
  return code.id === id ? { made: 'code', code: id } : { made: 'nothing' }
}
