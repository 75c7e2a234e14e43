import type { Registry } from '../registry.js'
import { guard, unavailable } from '../run.js'

/*
 * Where an identity's tokens are found by what selects them. `index` has for each token an entry
 * `<member>\n<issuedUs, 16 digits>\n<jti>` for every member that selects it, the same members that the
 * cut-offs have: `*`, `s:<subject>`, `l:<label>`, `p:<jti of a parent>`. All scores are 0, so Redis keeps them in the order of
 * their bytes: what one member selects lies together, by the time of its issue, and any part of it is
 * counted or read in a time that does not depend on how much there is. token-index.lua writes it.
 */

/** Selects every token of the identity. */
export const every = '*'
/** Tokens that were revoked by their own id have an entry under this member too. */
export const marked = '!'

/** Times of issue, in microseconds, both inclusive. */
export interface Span {
  from: number
  to: number
}

export const anyTime: Span = { from: 0, to: Number.MAX_SAFE_INTEGER - 1 }

/** A token's place in the index. */
export interface Entry {
  issuedUs: number
  jti: string
}

/** Entries of a member, newest first, `limit` at most. */
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

/** When the first of an identity's tokens was issued, in microseconds; undefined when it has none. */
export async function oldestUs({ redis }: Registry, indexKey: string): Promise<number | undefined> {
  const [min, max] = bounds(every, anyTime)
  const [oldest] = await guard(redis.zrangebylex(indexKey, min, max, 'LIMIT', 0, 1))
  return oldest === undefined ? undefined : entryOf(oldest).issuedUs
}

/** How many entries each of these members has in its span, in one round trip. */
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

/** An empty span gives bounds that Redis finds nothing between. */
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
