import type {
  CountTokens,
  CountTokensByIdentity,
  IdentityCountPage,
  TokenCount,
} from '@portcullis/contracts/tokens'
import { badCursor } from '../errors.js'
import { namePattern } from '../identities/list.js'
import { readNames, walkIdentities } from '../identities/walk.js'
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { asOfNow } from '../tokens/cutoffs.js'
import { countIndex } from './count-index.js'
import { spanOf, withIdentity } from './token-filter.js'

/** A count over many identities ends after this time, with a lower bound. */
const timeoutMs = 1000
const identitiesPerBatch = 20

/**
 * Counts tokens that have not expired; without `identity`, those of every registered identity.
 * `TokenCount` says when a count is not exact.
 */
export async function countTokens(registry: Registry, asked: CountTokens): Promise<TokenCount> {
  const query = await withIdentity(registry, asked)
  if (query === undefined) {
    return { active: 0, revoked: 0, exact: true }
  }
  const { identity } = query
  if (identity !== undefined) {
    return countIdentity(registry, identity, query)
  }
  const until = performance.now() + timeoutMs
  const sum = { active: 0, revoked: 0, exact: true }
  for await (const names of walkIdentities(registry)) {
    const counts = await Promise.all(names.map((name) => countIdentity(registry, name, query)))
    for (const { active, revoked, exact } of counts) {
      sum.active += active
      sum.revoked += revoked
      sum.exact &&= exact
    }
    if (performance.now() > until) {
      return { ...sum, exact: false }
    }
  }
  return sum
}

/**
 * Counts tokens for each identity, by name. The cursor is the last identity counted. A page ends
 * early after a second.
 *
 * @throws RegistryError `bad_cursor`
 */
export async function countTokensByIdentity(
  registry: Registry,
  { limit = 100, cursor, ...asked }: CountTokensByIdentity,
): Promise<IdentityCountPage> {
  if (cursor !== undefined && !namePattern.test(cursor)) {
    throw badCursor()
  }
  const query = await withIdentity(registry, asked)
  if (query === undefined) {
    return { identities: [] }
  }
  const { names, more } =
    query.identity === undefined
      ? await readNames(registry, limit, { after: cursor })
      : { names: cursor === undefined ? [query.identity] : [], more: false }
  const until = performance.now() + timeoutMs
  const identities: IdentityCountPage['identities'] = []
  let counted = 0
  while (counted < names.length && (counted === 0 || performance.now() < until)) {
    const page = names.slice(counted, counted + identitiesPerBatch)
    counted += page.length
    identities.push(
      ...(await Promise.all(
        page.map(async (identity) => ({
          identity,
          ...(await countIdentity(registry, identity, query)),
        })),
      )),
    )
  }
  const last = names[counted - 1]
  return {
    identities: identities.filter(({ active, revoked, exact }) => active + revoked > 0 || !exact),
    ...((more || counted < names.length) && last !== undefined ? { cursor: last } : {}),
  }
}

async function countIdentity(
  registry: Registry,
  identity: string,
  query: CountTokens,
): Promise<TokenCount> {
  const count = await countIndex(registry, {
    partition: partitionOf(identity, registry.partitions),
    identity,
    filter: query,
    span: spanOf(query),
    asOf: asOfNow,
  })
  return {
    active: query.state === 'revoked' ? 0 : count.active,
    revoked: query.state === 'active' ? 0 : count.revoked,
    exact: count.exact,
  }
}
