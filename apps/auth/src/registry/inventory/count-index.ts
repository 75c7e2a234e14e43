import type { TokenCount } from '@portcullis/contracts/tokens'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { type AsOf, isCutOff, readCutoffs } from '../tokens/cutoffs.js'
import { readTokens } from '../tokens/record.js'
import { coveredBeside, isSubject, readCovered, sizeOf } from './covered-entries.js'
import { pruneTokens } from './prune.js'
import { isWanted, membersOf, type TokenFilter } from './token-filter.js'
import { countEntries, type Entry, every, readEntries, type Span } from './token-index.js'

/** Tokens that a count looks at one by one, and such that it puts in order before, at most. */
const mostTokens = 10_000
const readAtOnce = 500

/** Which of an identity's tokens are counted. */
export interface Question {
  partition: number
  identity: string
  filter: TokenFilter
  span: Span
  /** What each cut-off counts as. */
  asOf: AsOf
}

/** A question, and what has been found out on the way. */
interface Ground extends Question {
  indexKey: string
  /** The member that selects the fewest of those that the filter names. */
  member: string
}

/**
 * Counts an identity's tokens by state, from the index: how many a member selects, less those that a
 * cut-off of the whole member covers, takes the same time for a million as for one. What cut-offs of
 * other members and revocations by id cover of the rest is counted from their own entries. Tokens are
 * read only where those may overlap, or for a filter that has no index of its own; when these are too
 * many the answer says so, and is a lower bound.
 */
export async function countIndex(registry: Registry, question: Question): Promise<TokenCount> {
  const { partition, identity, filter } = question
  const pruned = await pruneTokens(registry, partition, identity, mostTokens)
  // What has expired is among what would be counted: not even a lower bound is known.
  if (!pruned) {
    return { active: 0, revoked: 0, exact: false }
  }
  const members = membersOf(filter)
  const { created, base } = await readBase(registry, question, members)
  const span = { ...question.span, from: Math.max(question.span.from, created) }
  const indexKey = registry.keys.index(partition, identity)
  const { member, size } = await narrowest(registry, indexKey, members, span)
  const ground: Ground = { ...question, span, indexKey, member }
  return isIndexed(filter)
    ? countMember(registry, ground, { size, base })
    : countOneByOne(registry, ground)
}

/** Whether one member of the index selects what the filter lets through, and nothing else. */
function isIndexed(filter: TokenFilter): boolean {
  return membersOf(filter).length === 1 && filter.expiresBefore === undefined
}

/** The member, of several, that has the fewest entries in the span, and how many. */
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
  return { member: members[sizes.indexOf(size)] ?? every, size }
}

/** Since when the identity is the one of its name, and up to when all that is meant is cut off. */
export async function readBase(
  registry: Registry,
  { partition, identity, asOf }: Pick<Question, 'partition' | 'identity' | 'asOf'>,
  members: readonly string[],
): Promise<{ created: number; base: number }> {
  const { redis, keys } = registry
  const own = [...new Set([every, ...members])]
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
  ground: Ground,
  { size, base }: { size: number; base: number },
): Promise<TokenCount> {
  const { indexKey, member } = ground
  const span = { ...ground.span, from: Math.max(ground.span.from, base + 1) }
  const [above = 0] = await countEntries(registry, [{ indexKey, member, span }])
  if (above === 0) {
    return { active: 0, revoked: size, exact: true }
  }
  const { least, most } = await countAbove(registry, { ...ground, span }, above)
  return { active: above - most, revoked: size - above + least, exact: least === most }
}

/** How many of the member's `size` tokens in the span are revoked, where no cut-off covers all of it. */
async function countAbove(
  registry: Registry,
  ground: Ground,
  size: number,
): Promise<{ least: number; most: number }> {
  const { member, filter } = ground
  const covered = await coveredBeside(registry, ground, member)
  if (covered === undefined) {
    return { least: 0, most: size }
  }
  // A token has one subject: what different subjects' cut-offs cover does not overlap.
  const disjoint = covered.filter((one) => member === every && isSubject(one.member))
  const others = covered.filter((one) => !disjoint.includes(one))
  const sum = sizeOf(disjoint)
  const listed = sizeOf(others)
  if (listed === 0) {
    return { least: sum, most: sum }
  }
  if (member === every && covered.length === 1) {
    return { least: listed, most: listed }
  }
  if (Math.min(size, listed) > mostTokens) {
    const least = member === every ? Math.max(sum, ...others.map(({ size }) => size)) : 0
    return { least, most: Math.min(size, sum + listed) }
  }
  if (size <= listed) {
    const { revoked } = await countOneByOne(registry, ground)
    return { least: revoked, most: revoked }
  }
  const counted = new Map(disjoint.map(({ member, span }) => [member, span.to]))
  let found = sum
  const entries = await readCovered(registry, ground.indexKey, others)
  for (let at = 0; at < entries.length; at += readAtOnce) {
    const tokens = await readRecords(registry, ground, entries.slice(at, at + readAtOnce))
    found += tokens.filter(
      (token) =>
        isWanted(filter, token) && token.issuedUs > (counted.get(`s:${token.subject}`) ?? -1),
    ).length
  }
  return { least: found, most: found }
}

/** Reads tokens of the member, newest first, as far as a count may, and looks at each. */
async function countOneByOne(registry: Registry, ground: Ground): Promise<TokenCount> {
  const { partition, identity, filter, asOf, indexKey, member } = ground
  const count = { active: 0, revoked: 0 }
  let span = ground.span
  for (let read = 0; read < mostTokens; read += readAtOnce) {
    const entries = await readEntries(registry, indexKey, member, span, readAtOnce)
    const tokens = (await readRecords(registry, ground, entries)).filter((token) =>
      isWanted(filter, token),
    )
    const cutoffs = await readCutoffs(registry, partition, identity, tokens, asOf)
    const revoked = tokens.filter((token) => token.flagged || isCutOff(token, cutoffs)).length
    count.revoked += revoked
    count.active += tokens.length - revoked
    const last = entries.at(-1)
    if (last === undefined || entries.length < readAtOnce) {
      return { ...count, exact: true }
    }
    span = { ...span, to: last.issuedUs - 1 }
  }
  return { ...count, exact: false }
}

async function readRecords(registry: Registry, { partition }: Ground, entries: readonly Entry[]) {
  const tokens = await readTokens(
    registry,
    partition,
    entries.map(({ jti }) => jti),
  )
  return tokens.filter((token) => token !== undefined)
}
