import type { RegisteredIdentity, RegisterIdentity } from '@portcullis/contracts/identities'
import type { Registry } from '../registry.js'
import { createIdentity, type Proofs } from './create.js'
import { newRegistrationCode } from './registration-code.js'

/**
 * Creates an identity with a registration code, which is shown only in the returned value.
 *
 * @param registrationCode - default: 256 random bits
 * @throws RegistryError `identity_exists`, `code_removed`
 */
export async function registerIdentity(
  registry: Registry,
  body: RegisterIdentity,
  {
    registrationCode = newRegistrationCode(),
    ceiling,
  }: Pick<Proofs, 'registrationCode' | 'ceiling'> = {},
): Promise<RegisteredIdentity> {
  const identity = await createIdentity(registry, body, { registrationCode, ceiling })
  return { ...identity, registrationCode }
}
