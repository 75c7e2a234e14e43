import type { CountTokens } from '@portcullis/contracts/tokens'
import { partitionOfId } from '../ids.js'
import type { Registry } from '../registry.js'
import { issuedBy } from '../tokens/cutoffs.js'
import { readTokens, type TokenRecord } from '../tokens/record.js'
import { allTokensMember, anyTime, type Span } from './token-index.js'

/** The fields of a query that select among an identity's tokens, without their state. */
export type TokenFilter = Pick<
  CountTokens,
  'subject' | 'label' | 'parent' | 'issuedAfter' | 'issuedBefore' | 'expiresBefore'
>

/**
 * Returns the members of the index that select the filter's tokens. With several members, each
 * selects more than the filter.
 */
export function membersOf({ subject, label, parent }: TokenFilter): string[] {
  const members = [
    ...(subject === undefined ? [] : [`s:${subject}`]),
    ...(label === undefined ? [] : [`l:${label}`]),
    ...(parent === undefined ? [] : [issuedBy(parent)]),
  ]
  return members.length === 0 ? [allTokensMember] : members
}

/** Returns the issue times that the filter allows. */
export function spanOf({ issuedAfter, issuedBefore }: TokenFilter): Span {
  return {
    from: issuedAfter === undefined ? anyTime.from : Math.min(issuedAfter * 1000, anyTime.to),
    to: issuedBefore === undefined ? anyTime.to : Math.min(issuedBefore * 1000 - 1, anyTime.to),
  }
}

/** Returns true when the filter, apart from issue times, allows the token. */
export function isWanted(
  { subject, label, parent, expiresBefore }: TokenFilter,
  token: TokenRecord,
): boolean {
  return (
    (subject === undefined || token.subject === subject) &&
    (label === undefined || token.labels.includes(label)) &&
    (parent === undefined || token.parents.includes(parent)) &&
    (expiresBefore === undefined || token.expiresAt < expiresBefore)
  )
}

/**
 * Returns the query with the identity of its `parent`, so that only that identity's tokens are
 * read. Returns undefined when no token can match: the parent has expired (and so have the tokens
 * that it has issued), or belongs to another identity than the query's.
 */
export async function withIdentity<Query extends CountTokens>(
  registry: Registry,
  query: Query,
): Promise<Query | undefined> {
  const { parent, identity } = query
  if (parent === undefined) {
    return query
  }
  const partition = partitionOfId(parent, registry.partitions)
  const [token] = partition === undefined ? [] : await readTokens(registry, partition, [parent])
  if (token === undefined || token.identity !== (identity ?? token.identity)) {
    return undefined
  }
  return { ...query, identity: token.identity }
}
