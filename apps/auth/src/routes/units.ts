import type { ListAudit } from '@portcullis/contracts/audit'
import type { CountTokens, ListTokens } from '@portcullis/contracts/tokens'
import type { FastifyRequest } from 'fastify'

/*
 * Units of work that requests count as in the limits (docs/security.md). One unit is about the work of
 * one introspection. The numbers of rows are measured, and rounded down.
 */

/** Tokens, identities or receipts in a response, for one unit. */
const rowsPerUnit = 25
const auditEntriesPerUnit = 100
const introspectionsPerUnit = 6

/** Units of a request that reads many rows for a few results or a count. */
export const searchUnits = 40

/** Returns the units of a page of rows. */
export function pageUnits({ query }: FastifyRequest): number {
  const { limit = 100 } = query as { limit?: number }
  return Math.ceil(limit / rowsPerUnit)
}

/** Returns the units of a page of tokens; without an index, auth reads many tokens for it. */
export function tokenPageUnits(request: FastifyRequest): number {
  const units = pageUnits(request)
  return isIndexed(request.query as ListTokens) ? units : Math.max(units, searchUnits)
}

/** Returns the units of a count; cheap if one identity's index has the number. */
export function tokenCountUnits({ query }: FastifyRequest): number {
  return isIndexed(query as CountTokens) ? 4 : searchUnits
}

/** Returns the units of the counts for a page of identities. */
export function countPageUnits(request: FastifyRequest): number {
  return Math.max(pageUnits(request) * 4, searchUnits)
}

/**
 * Returns the units of a page of the audit log; with a filter, auth reads up to a thousand entries.
 */
export function auditPageUnits({ query }: FastifyRequest): number {
  const { limit = 100, actor, action, identity, result } = query as ListAudit
  const filtered = [actor, action, identity, result].some((filter) => filter !== undefined)
  return Math.ceil((filtered ? 1000 : limit) / auditEntriesPerUnit)
}

/** Returns the units of introspections; a token that is sent several times counts once. */
export function introspectionUnits({ body }: FastifyRequest): number {
  const { tokens } = body as { tokens: readonly string[] }
  return Math.ceil(new Set(tokens).size / introspectionsPerUnit)
}

/** Returns true if one member of an identity's index selects the tokens of a query. */
function isIndexed({ identity, subject, label, state, expiresBefore }: ListTokens): boolean {
  return (
    identity !== undefined &&
    (subject === undefined || label === undefined) &&
    state === undefined &&
    expiresBefore === undefined
  )
}
