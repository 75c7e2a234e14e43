import type { TokenCount } from '@portcullis/contracts/tokens'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { type AsOf, isCutOff, readCutoffs } from '../tokens/cutoffs.js'
import { readTokens } from '../tokens/record.js'
import { coveredBeside, isSubject, readCovered, sizeOf } from './covered-entries.js'
import { pruneTokens } from './prune.js'
import { isWanted, membersOf, type TokenFilter } from './token-filter.js'
import { allTokensMember, countEntries, type Entry, readEntries, type Span } from './token-index.js'

/** A count reads, or sorts, at most this many tokens. */
const maxTokens = 10_000
const pageSize = 500

/** Selects the tokens of an identity to count. */
export interface CountQuery {
  partition: number
  identity: string
  filter: TokenFilter
  span: Span
  /** Returns the microsecond that each cut-off counts as. */
  asOf: AsOf
}

/** A query, and what the count has read so far. */
interface CountContext extends CountQuery {
  indexKey: string
  /** The member of the filter that selects the fewest tokens. */
  member: string
}

/**
 * Counts an identity's tokens by state, from the index. The tokens that a member selects, and those
 * of them that a cut-off of the whole member covers, are counted in a time that does not depend on
 * their number. The others are revoked by cut-offs of other members or by their own id, and are
 * counted from those entries. Tokens are read one by one only where these may overlap, or when no
 * index selects the filter; when there are too many, the count is a lower bound and `exact` is
 * false.
 */
export async function countIndex(registry: Registry, query: CountQuery): Promise<TokenCount> {
  const { partition, identity, filter } = query
  const pruned = await pruneTokens(registry, partition, identity, maxTokens)
  // Expired tokens would be counted: not even a lower bound is known.
  if (!pruned) {
    return { active: 0, revoked: 0, exact: false }
  }
  const members = membersOf(filter)
  const { created, base } = await readBase(registry, query, members)
  const span = { ...query.span, from: Math.max(query.span.from, created) }
  const indexKey = registry.keys.index(partition, identity)
  const { member, size } = await narrowest(registry, indexKey, members, span)
  const context: CountContext = { ...query, span, indexKey, member }
  return isIndexed(filter)
    ? countMember(registry, context, { size, base })
    : countOneByOne(registry, context)
}

/** Returns true when one member of the index selects exactly the filter's tokens. */
function isIndexed(filter: TokenFilter): boolean {
  return membersOf(filter).length === 1 && filter.expiresBefore === undefined
}

/** Returns the member that has the fewest entries in the span, and their number. */
export async function narrowest(
  registry: Registry,
  indexKey: string,
  members: readonly string[],
  span: Span,
): Promise<{ member: string; size: number }> {
  const sizes = await countEntries(
    registry,
    members.map((member) => ({ indexKey, member, span })),
  )
  const size = Math.min(...sizes)
  return { member: members[sizes.indexOf(size)] ?? allTokensMember, size }
}

/**
 * Returns the creation time of the current identity, and the newest cut-off covering every selected
 * token.
 */
export async function readBase(
  registry: Registry,
  { partition, identity, asOf }: Pick<CountQuery, 'partition' | 'identity' | 'asOf'>,
  members: readonly string[],
): Promise<{ created: number; base: number }> {
  const { redis, keys } = registry
  const own = [...new Set([allTokensMember, ...members])]
  const [created, all, scores] = await Promise.all([
    guard(redis.hget(keys.identity(partition, identity), 'createdUs')),
    guard(redis.get(keys.cutoffAll(partition))),
    guard(redis.zmscore(keys.cutoffs(partition, identity), ...own)),
  ])
  return {
    created: Number(created ?? 0),
    base: Math.max(
      asOf('all', Number(all ?? -1)),
      ...own.map((member, index) => asOf(member, Number(scores[index] ?? -1))),
    ),
  }
}

async function countMember(
  registry: Registry,
  context: CountContext,
  { size, base }: { size: number; base: number },
): Promise<TokenCount> {
  const { indexKey, member } = context
  const span = { ...context.span, from: Math.max(context.span.from, base + 1) }
  const [above = 0] = await countEntries(registry, [{ indexKey, member, span }])
  if (above === 0) {
    return { active: 0, revoked: size, exact: true }
  }
  const { min, max } = await countAbove(registry, { ...context, span }, above)
  return { active: above - max, revoked: size - above + min, exact: min === max }
}

/**
 * Returns how many of the member's `size` tokens in the span are revoked, where no cut-off covers
 * the whole member.
 */
async function countAbove(
  registry: Registry,
  context: CountContext,
  size: number,
): Promise<{ min: number; max: number }> {
  const { member, filter } = context
  const covered = await coveredBeside(registry, context, member)
  if (covered === undefined) {
    return { min: 0, max: size }
  }
  // A token has one subject, so the cut-offs of different subjects do not overlap.
  const disjoint = covered.filter((one) => member === allTokensMember && isSubject(one.member))
  const others = covered.filter((one) => !disjoint.includes(one))
  const sum = sizeOf(disjoint)
  const listed = sizeOf(others)
  if (listed === 0) {
    return { min: sum, max: sum }
  }
  if (member === allTokensMember && covered.length === 1) {
    return { min: listed, max: listed }
  }
  if (Math.min(size, listed) > maxTokens) {
    const min = member === allTokensMember ? Math.max(sum, ...others.map(({ size }) => size)) : 0
    return { min, max: Math.min(size, sum + listed) }
  }
  if (size <= listed) {
    const { revoked } = await countOneByOne(registry, context)
    return { min: revoked, max: revoked }
  }
  const counted = new Map(disjoint.map(({ member, span }) => [member, span.to]))
  let found = sum
  const entries = await readCovered(registry, context.indexKey, others)
  for (let at = 0; at < entries.length; at += pageSize) {
    const tokens = await readRecords(registry, context, entries.slice(at, at + pageSize))
    found += tokens.filter(
      (token) =>
        isWanted(filter, token) && token.issuedUs > (counted.get(`s:${token.subject}`) ?? -1),
    ).length
  }
  return { min: found, max: found }
}

/** Reads the member's tokens, newest first, up to `maxTokens`, and checks each. */
async function countOneByOne(registry: Registry, context: CountContext): Promise<TokenCount> {
  const { partition, identity, filter, asOf, indexKey, member } = context
  const count = { active: 0, revoked: 0 }
  let span = context.span
  for (let read = 0; read < maxTokens; read += pageSize) {
    const entries = await readEntries(registry, indexKey, member, span, pageSize)
    const tokens = (await readRecords(registry, context, entries)).filter((token) =>
      isWanted(filter, token),
    )
    const cutoffs = await readCutoffs(registry, partition, identity, tokens, asOf)
    const revoked = tokens.filter((token) => token.revokedById || isCutOff(token, cutoffs)).length
    count.revoked += revoked
    count.active += tokens.length - revoked
    const last = entries.at(-1)
    if (last === undefined || entries.length < pageSize) {
      return { ...count, exact: true }
    }
    span = { ...span, to: last.issuedUs - 1 }
  }
  return { ...count, exact: false }
}

async function readRecords(
  registry: Registry,
  { partition }: CountContext,
  entries: readonly Entry[],
) {
  const tokens = await readTokens(
    registry,
    partition,
    entries.map(({ jti }) => jti),
  )
  return tokens.filter((token) => token !== undefined)
}
