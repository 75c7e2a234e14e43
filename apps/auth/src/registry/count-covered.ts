import type { Selector } from '@portcullis/contracts'
import type { CommittedPart } from './commit.js'
import { type Cutoffs, isCutOff, memberOf, readCutoffs } from './cutoffs.js'
import { partitionOf, partitionOfId } from './ids.js'
import { partitionsOf, type Registry } from './registry.js'
import { guard } from './run.js'
import { readTokens, type TokenRecord } from './token-record.js'

const pageLength = 500

/**
 * How many live tokens a revocation would cover that none covers yet.
 *
 * @param cutoffUs - only tokens issued up to and including this microsecond; by default all
 */
export async function countCovered(
  registry: Registry,
  selector: Selector,
  cutoffUs: number = Number.MAX_SAFE_INTEGER,
): Promise<number> {
  const partitions =
    'all' in selector
      ? partitionsOf(registry)
      : 'jti' in selector
        ? [partitionOfId(selector.jti, registry.partitions) ?? 0]
        : [partitionOf(selector.identity, registry.partitions)]
  const counts = await Promise.all(
    partitions.map((partition) => count(registry, partition, { selector, cutoffUs })),
  )
  return counts.reduce((sum, one) => sum + one, 0)
}

/**
 * How many live tokens a committed part covers that nothing covered before it. Counted after the
 * commit, in pages, so that a wide revocation commits as fast as a narrow one and never blocks
 * Redis. Exact unless revocations that overlap it are committed in the same moment.
 */
export function countNewlyCovered(
  registry: Registry,
  selector: Selector,
  part: CommittedPart,
): Promise<number> {
  return count(registry, part.partition, { selector, cutoffUs: part.cutoffUs, part })
}

interface Question {
  selector: Selector
  cutoffUs: number
  /** The commit whose own mark does not count as one. */
  part?: CommittedPart
}

async function count(registry: Registry, partition: number, question: Question): Promise<number> {
  const { selector } = question
  if ('jti' in selector) {
    if (question.part?.before !== undefined) return 0
    const tokens = await readTokens(registry, partition, [selector.jti])
    return countLive(registry, partition, tokens, question)
  }
  if (!('all' in selector)) return countIdentity(registry, partition, selector.identity, question)
  let sum = 0
  // The tokens of a deleted identity are covered by its deletion, so the living are enough.
  for await (const identity of identitiesOf(registry, partition))
    sum += await countIdentity(registry, partition, identity, question)
  return sum
}

/** Pages through an identity's tokens. A subject or a label has no index of its own yet. */
async function countIdentity(
  registry: Registry,
  partition: number,
  identity: string,
  question: Question,
): Promise<number> {
  const { redis, keys } = registry
  let sum = 0
  // What the cut-off covered before it moved is not newly covered, however much of it there is.
  let from = question.part?.before === undefined ? '-inf' : `(${question.part.before}`
  for (;;) {
    const page = await guard(
      redis.zrangebyscore(
        keys.tokens(partition, identity),
        from,
        question.cutoffUs,
        'WITHSCORES',
        'LIMIT',
        0,
        pageLength,
      ),
    )
    const jtis = page.filter((_, index) => index % 2 === 0)
    const tokens = await readTokens(registry, partition, jtis)
    sum += await countLive(registry, partition, tokens, question)
    if (jtis.length < pageLength) return sum
    from = `(${page.at(-1)}`
  }
}

/** How many of these tokens, all of one identity, are live and newly covered. */
async function countLive(
  registry: Registry,
  partition: number,
  tokens: readonly (TokenRecord | undefined)[],
  { selector, cutoffUs, part }: Question,
): Promise<number> {
  const live = tokens
    .filter((token) => token !== undefined)
    .filter((token) => token.issuedUs <= cutoffUs && selects(selector, token))
  const [first] = live
  if (first === undefined) return 0
  const cutoffs = await readCutoffs(registry, partition, first.identity, live)
  const earlier = part === undefined ? cutoffs : beforeThe(part, selector, cutoffs)
  // The mark on a token that was revoked by its id is this revocation's own, checked before.
  const ownMark = part !== undefined && 'jti' in selector
  return live.filter((token) => (ownMark || !token.flagged) && !isCutOff(token, earlier)).length
}

/** Puts the cut-offs back to what they were before the commit, as far as its moment tells. */
function beforeThe(part: CommittedPart, selector: Selector, { all, members }: Cutoffs): Cutoffs {
  const unlessLater = (cutoffUs: number) => (cutoffUs > part.us ? -1 : cutoffUs)
  const earlier = new Map(
    [...members].map(([member, cutoffUs]) => [member, unlessLater(cutoffUs)] as const),
  )
  const own = memberOf(selector)
  if (own !== undefined) earlier.set(own, part.before ?? -1)
  return { all: 'all' in selector ? (part.before ?? -1) : unlessLater(all), members: earlier }
}

function selects(selector: Selector, token: TokenRecord): boolean {
  if ('subject' in selector) return token.subject === selector.subject
  if ('label' in selector) return token.labels.includes(selector.label)
  return true
}

async function* identitiesOf(registry: Registry, partition: number): AsyncGenerator<string> {
  const { redis, keys } = registry
  let from = '-'
  for (;;) {
    const names = await guard(
      redis.zrangebylex(keys.identities(partition), from, '+', 'LIMIT', 0, pageLength),
    )
    yield* names
    if (names.length < pageLength) return
    from = `(${names.at(-1)}`
  }
}
