import type { Identity, IdentityPage } from '@portcullis/contracts/identities'
import { badCursor } from '../errors.js'
import type { Registry } from '../registry.js'
import { findIdentity } from './get.js'
import { readNames } from './walk.js'

export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@/:-]{0,127}$/

/**
 * Returns a page of identities by name. The cursor is the last name of the page, so pages stay
 * correct while identities are registered and deleted.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function listIdentities(
  registry: Registry,
  { limit, cursor }: { limit: number; cursor?: string },
): Promise<IdentityPage> {
  if (cursor !== undefined && !namePattern.test(cursor)) {
    throw badCursor()
  }
  const { names: page, more } = await readNames(registry, limit, { after: cursor })
  const found = await Promise.all(page.map((name) => findIdentity(registry, name)))
  const last = page.at(-1)
  return {
    // Leaves out identities that were deleted after their names were read.
    identities: found.filter((identity): identity is Identity => identity !== undefined),
    ...(more && last !== undefined ? { cursor: last } : {}),
  }
}
