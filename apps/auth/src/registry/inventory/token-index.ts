import type { Registry } from '../registry.js'
import { guard, unavailable } from '../run.js'

/*
 * The index of an identity's tokens, by the members that select them. `index` has an entry
 * `<member>\n<issuedUs, 16 digits>\n<jti>` for every member that selects a token; the cut-offs have the
 * same members: `*`, `s:<subject>`, `l:<label>`, `p:<jti of a parent>`. All scores are 0, so Redis sorts
 * entries by their bytes: the tokens of one member lie together in the order of issue, and a range of
 * them is counted or read in a time that does not depend on the number of tokens. lua/token-index.lua
 * writes the entries.
 */

/** Selects every token of the identity. */
export const allTokensMember = '*'
/** Selects the tokens that were revoked by their own id. */
export const revokedByIdMember = '!'

/** A range of issue times, in microseconds, both inclusive. */
export interface Span {
  from: number
  to: number
}

export const anyTime: Span = { from: 0, to: Number.MAX_SAFE_INTEGER - 1 }

/** A token's entry in the index. */
export interface Entry {
  issuedUs: number
  jti: string
}

/** Returns up to `limit` entries of a member, newest first. */
export async function readEntries(
  { redis }: Registry,
  indexKey: string,
  member: string,
  span: Span,
  limit: number,
): Promise<Entry[]> {
  if (span.from > span.to) {
    return []
  }
  const [min, max] = bounds(member, span)
  const found = await guard(redis.zrevrangebylex(indexKey, max, min, 'LIMIT', 0, limit))
  return found.map(entryOf)
}

/**
 * Returns the microsecond at which the identity's oldest token was issued, or undefined when it has
 * none.
 */
export async function oldestUs({ redis }: Registry, indexKey: string): Promise<number | undefined> {
  const [min, max] = bounds(allTokensMember, anyTime)
  const [oldest] = await guard(redis.zrangebylex(indexKey, min, max, 'LIMIT', 0, 1))
  return oldest === undefined ? undefined : entryOf(oldest).issuedUs
}

/** Returns how many entries each member has in its span, in one round trip. */
export async function countEntries(
  registry: Registry,
  wanted: readonly { indexKey: string; member: string; span: Span }[],
): Promise<number[]> {
  if (wanted.length === 0) {
    return []
  }
  const pipeline = registry.redis.pipeline()
  for (const { indexKey, member, span } of wanted) {
    pipeline.zlexcount(indexKey, ...bounds(member, span))
  }
  const replies = await pipeline.exec().catch((error) => {
    throw unavailable(error)
  })
  return wanted.map((_, index) => {
    const [error, count] = replies?.[index] ?? [new Error('no reply')]
    if (error !== null) {
      throw unavailable(error)
    }
    return Number(count)
  })
}

/** For an empty span, returns bounds between which Redis finds nothing. */
function bounds(member: string, { from, to }: Span): [min: string, max: string] {
  return [`[${member}\n${digits(from)}`, `(${member}\n${digits(to + 1)}`]
}

function digits(us: number): string {
  return String(Math.min(Math.max(us, 0), Number.MAX_SAFE_INTEGER)).padStart(16, '0')
}

function entryOf(text: string): Entry {
  const jti = text.lastIndexOf('\n') + 1
  return { issuedUs: Number(text.slice(jti - 17, jti - 1)), jti: text.slice(jti) }
}
