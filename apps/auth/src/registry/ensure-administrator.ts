import { addCode } from './add-registration-code.js'
import { RegistryError } from './errors.js'
import { registerIdentity } from './register-identity.js'
import { hashOfCode } from './registration-code.js'
import type { Registry } from './registry.js'

/**
 * Makes sure that the administrator's identity exists and that this code of it works: creates the
 * identity with the scope `admin`, or adds the code to the identity that is there.
 *
 * @throws RegistryError `too_many_codes`
 */
export async function ensureAdministrator(
  registry: Registry,
  { identity, registrationCode }: { identity: string; registrationCode: string },
): Promise<'created' | 'present'> {
  try {
    await registerIdentity(registry, { identity, scopes: ['admin'] }, registrationCode)
    return 'created'
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'identity_exists') throw error
  }
  await addCode(registry, identity, {}, hashOfCode(registrationCode))
  return 'present'
}
