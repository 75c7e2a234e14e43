import type { Identity, IdentityPage } from '@portcullis/contracts'
import { badCursor } from './errors.js'
import { findIdentity } from './get-identity.js'
import { partitionsOf, type Registry } from './registry.js'
import { guard } from './run.js'

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._@/:-]{0,127}$/

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
  if (cursor !== undefined && !namePattern.test(cursor)) throw badCursor()
  const from = cursor === undefined ? '-' : `(${cursor}`
  const lists = await Promise.all(
    partitionsOf(registry).map((partition) =>
      guard(
        registry.redis.zrangebylex(
          registry.keys.identities(partition),
          from,
          '+',
          'LIMIT',
          0,
          limit + 1,
        ),
      ),
    ),
  )
  const names = lists.flat().sort()
  const page = names.slice(0, limit)
  const found = await Promise.all(page.map((name) => findIdentity(registry, name)))
  const last = page.at(-1)
  return {
    // One that was deleted since its name was read is left out.
    identities: found.filter((identity): identity is Identity => identity !== undefined),
    ...(names.length > limit && last !== undefined ? { cursor: last } : {}),
  }
}
