import type { CountTokens } from '@portcullis/contracts/tokens'
import { partitionOfId } from '../ids.js'
import type { Registry } from '../registry.js'
import { issuedBy } from '../tokens/cutoffs.js'
import { readTokens, type TokenRecord } from '../tokens/record.js'
import { anyTime, every, type Span } from './token-index.js'

/** What of a query narrows an identity's tokens, but for their state. */
export type TokenFilter = Pick<
  CountTokens,
  'subject' | 'label' | 'parent' | 'issuedAfter' | 'issuedBefore' | 'expiresBefore'
>

/** The members of the index that select what the filter lets through; each alone may select more. */
export function membersOf({ subject, label, parent }: TokenFilter): string[] {
  const members = [
    ...(subject === undefined ? [] : [`s:${subject}`]),
    ...(label === undefined ? [] : [`l:${label}`]),
    ...(parent === undefined ? [] : [issuedBy(parent)]),
  ]
  return members.length === 0 ? [every] : members
}

/** The times of issue that the filter lets through. */
export function spanOf({ issuedAfter, issuedBefore }: TokenFilter): Span {
  return {
    from: issuedAfter === undefined ? anyTime.from : Math.min(issuedAfter * 1000, anyTime.to),
    to: issuedBefore === undefined ? anyTime.to : Math.min(issuedBefore * 1000 - 1, anyTime.to),
  }
}

/** Whether the filter lets a token through, its time of issue apart. */
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
 * The query with the identity of its `parent`, so that only that identity's tokens are looked at.
 * Undefined when nothing can match: the parent has expired, and what it has issued with it, or it is of
 * another identity than the query's.
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
