import type { Identity, IdentityPage } from '@portcullis/contracts/identities'
import { badCursor } from '../errors.js'
import type { Registry } from '../registry.js'
import { findIdentity } from './get.js'
import { readNames } from './walk.js'

export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@/:-]{0,127}$/

/**
 * Identities in the order of their names. The cursor is the last name seen, so a page is right
 * whatever was registered or deleted since the one before.
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
    // One that was deleted since its name was read is left out.
    identities: found.filter((identity): identity is Identity => identity !== undefined),
    ...(more && last !== undefined ? { cursor: last } : {}),
  }
}
