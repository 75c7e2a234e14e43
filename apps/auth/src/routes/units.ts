import type { ListAudit } from '@portcullis/contracts/audit'
import type { CountTokens, ListTokens } from '@portcullis/contracts/tokens'
import type { FastifyRequest } from 'fastify'

/*
 * How many units of work requests count as in the limits (docs/security.md). One unit is about the work
 * of one introspection; the numbers of rows are measured, and rounded to the caller's disadvantage.
 */

/** Tokens, identities or receipts that are read, put together and answered for one unit. */
const rowsPerUnit = 25
const auditEntriesPerUnit = 100
const introspectionsPerUnit = 6

/** What a question counts as that looks through many rows for few, or for a number. */
export const searchUnits = 40

/** A page of rows. */
export function pageUnits({ query }: FastifyRequest): number {
  const { limit = 100 } = query as { limit?: number }
  return Math.ceil(limit / rowsPerUnit)
}

/** A page of tokens: those that no index selects are looked through. */
export function tokenPageUnits(request: FastifyRequest): number {
  const units = pageUnits(request)
  return isIndexed(request.query as ListTokens) ? units : Math.max(units, searchUnits)
}

/** A count of one identity's tokens is read off its index, if one selects them. */
export function tokenCountUnits({ query }: FastifyRequest): number {
  return isIndexed(query as CountTokens) ? 4 : searchUnits
}

/** Counts for a page of identities. */
export function countPageUnits(request: FastifyRequest): number {
  return Math.max(pageUnits(request) * 4, searchUnits)
}

/** A page of the audit log: a filter looks through a thousand entries. */
export function auditPageUnits({ query }: FastifyRequest): number {
  const { limit = 100, actor, action, identity, result } = query as ListAudit
  const filtered = [actor, action, identity, result].some((filter) => filter !== undefined)
  return Math.ceil((filtered ? 1000 : limit) / auditEntriesPerUnit)
}

/** Introspections: the same token is looked at once, however often it is named. */
export function introspectionUnits({ body }: FastifyRequest): number {
  const { tokens } = body as { tokens: readonly string[] }
  return Math.ceil(new Set(tokens).size / introspectionsPerUnit)
}

/** Whether one member of an identity's index selects all that a query wants. */
function isIndexed({ identity, subject, label, state, expiresBefore }: ListTokens): boolean {
  return (
    identity !== undefined &&
    (subject === undefined || label === undefined) &&
    state === undefined &&
    expiresBefore === undefined
  )
}
