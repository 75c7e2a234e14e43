import { script } from '@portcullis/redis'
import { identityNotFound, lastAdministrator, RegistryError } from '../errors.js'
import { partitionOf } from '../ids.js'
import { mustAdminister, type Registry } from '../registry.js'
import { run } from '../run.js'

const remove = script<'removed' | 'identity_not_found' | 'code_not_found' | 'last_administrator'>(
  new URL('./remove-registration-code.lua', import.meta.url),
)

/**
 * Removes a registration code. Tokens that were issued with it stay active; revoke them to end
 * them.
 *
 * @throws RegistryError `identity_not_found`, `code_not_found`, `last_administrator`
 */
export async function removeRegistrationCode(
  registry: Registry,
  identity: string,
  codeId: string,
): Promise<void> {
  const partition = partitionOf(identity, registry.partitions)
  const { keys } = registry
  const reply = await run(
    registry,
    remove,
    [
      keys.identity(partition, identity),
      keys.codes(partition, identity),
      keys.removedCodes(partition, identity),
    ],
    [codeId, mustAdminister(registry, identity)],
  )
  if (reply === 'identity_not_found') {
    throw identityNotFound(identity)
  }
  if (reply === 'last_administrator') {
    throw lastAdministrator(identity)
  }
  if (reply === 'code_not_found') {
    throw new RegistryError(
      'code_not_found',
      `identity "${identity}" has no registration code with this id; GET the identity to list its codes`,
    )
  }
}
