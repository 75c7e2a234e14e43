import type { CountTokens } from '@portcullis/contracts'
import { anyTime, every, type Span } from './token-index.js'
import type { TokenRecord } from './token-record.js'

/** What of a query narrows an identity's tokens, but for their state. */
export type TokenFilter = Pick<
  CountTokens,
  'subject' | 'label' | 'issuedAfter' | 'issuedBefore' | 'expiresBefore'
>

/** The members of the index that select what the filter lets through; each alone may select more. */
export function membersOf({ subject, label }: TokenFilter): string[] {
  const members = [
    ...(subject === undefined ? [] : [`s:${subject}`]),
    ...(label === undefined ? [] : [`l:${label}`]),
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
  { subject, label, expiresBefore }: TokenFilter,
  token: TokenRecord,
): boolean {
  return (
    (subject === undefined || token.subject === subject) &&
    (label === undefined || token.labels.includes(label)) &&
    (expiresBefore === undefined || token.expiresAt < expiresBefore)
  )
}
