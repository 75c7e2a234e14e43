import type { Selector } from '@portcullis/contracts/revocations'
import { walkIdentities } from '../identities/walk.js'
import { partitionOf, partitionOfId } from '../ids.js'
import { countIndex } from '../inventory/count-index.js'
import { anyTime } from '../inventory/token-index.js'
import { partitionsOf, type Registry } from '../registry.js'
import { type AsOf, asOfNow, isCutOff, memberOf, readCutoffs } from '../tokens/cutoffs.js'
import { readTokens } from '../tokens/record.js'
import type { CommittedPart } from './revoke-in-partition.js'

/** A revocation of everything is not answered later than this for the sake of its count. */
const allWithinMs = 500

/** How many tokens: exactly, or at least so many. */
export interface CoveredCount {
  tokens: number
  exact: boolean
}

/**
 * How many live tokens a revocation would cover that none covers yet.
 *
 * @param cutoffUs - only tokens issued up to and including this microsecond; by default all
 */
export async function countCovered(
  registry: Registry,
  selector: Selector,
  cutoffUs: number = anyTime.to,
): Promise<CoveredCount> {
  const partitions =
    'all' in selector
      ? partitionsOf(registry)
      : 'jti' in selector
        ? [partitionOfId(selector.jti, registry.partitions) ?? 0]
        : [partitionOf(selector.identity, registry.partitions)]
  return sumOf(
    await Promise.all(
      partitions.map((partition) =>
        count(registry, partition, { selector, from: anyTime.from, to: cutoffUs, asOf: asOfNow }),
      ),
    ),
  )
}

/**
 * How many live tokens a committed part covers that nothing covered before it. Counted after the
 * commit, from the index, so that a wide revocation commits and answers as fast as a narrow one.
 * Exact unless revocations that overlap it are committed in the same moment, and as far as
 * `countIndex` is.
 */
export async function countNewlyCovered(
  registry: Registry,
  selector: Selector,
  part: CommittedPart,
): Promise<CoveredCount> {
  const { partition, cutoffUs: to } = part
  const asOf = asBefore(selector, part)
  // What the cut-off covered before it moved is not newly covered, however much of it there is.
  if (!('jti' in selector)) {
    return count(registry, partition, { selector, from: (part.before ?? -1) + 1, to, asOf })
  }
  const { jti, cascade } = selector
  return sumOf(
    await Promise.all([
      // The mark on a token that was revoked by its id is this revocation's own.
      part.before === undefined ? countToken(registry, partition, jti, { to, asOf }) : none,
      cascade === true
        ? countIssued(registry, partition, jti, { from: (part.cascadeBefore ?? -1) + 1, to, asOf })
        : none,
    ]),
  )
}

const none: CoveredCount = { tokens: 0, exact: true }

/** Puts the cut-offs back to what they were before the commit, as far as its moment tells. */
function asBefore(selector: Selector, part: CommittedPart): AsOf {
  const own = 'all' in selector ? 'all' : memberOf(selector)
  const before = 'jti' in selector ? part.cascadeBefore : part.before
  return (member, cutoffUs) =>
    member === own ? (before ?? -1) : cutoffUs > part.us ? -1 : cutoffUs
}

interface Question {
  selector: Selector
  /** Times of issue, in microseconds, both inclusive. */
  from: number
  to: number
  asOf: AsOf
}

async function count(
  registry: Registry,
  partition: number,
  { selector, from, to, asOf }: Question,
): Promise<CoveredCount> {
  const span = { from, to: Math.min(to, anyTime.to) }
  const countOf = async (identity: string, filter: { subject?: string; label?: string }) => {
    const counted = await countIndex(registry, { partition, identity, filter, span, asOf })
    return { tokens: counted.active, exact: counted.exact }
  }
  if ('jti' in selector) {
    return sumOf(
      await Promise.all([
        countToken(registry, partition, selector.jti, { to, asOf }),
        selector.cascade === true
          ? countIssued(registry, partition, selector.jti, { from, to, asOf })
          : none,
      ]),
    )
  }
  if ('subject' in selector) {
    return countOf(selector.identity, { subject: selector.subject })
  }
  if ('label' in selector) {
    return countOf(selector.identity, { label: selector.label })
  }
  if ('identity' in selector) {
    return countOf(selector.identity, {})
  }

  const until = performance.now() + allWithinMs
  const counts: CoveredCount[] = []
  // The tokens of a deleted identity are covered by its deletion, so the living are enough.
  for await (const names of walkIdentities(registry, { partitions: [partition] })) {
    counts.push(...(await Promise.all(names.map((identity) => countOf(identity, {})))))
    if (performance.now() > until) {
      return { ...sumOf(counts), exact: false }
    }
  }
  return sumOf(counts)
}

/** One, if the token is alive and no cut-off covers it; also one that is marked, see above. */
async function countToken(
  registry: Registry,
  partition: number,
  jti: string,
  { to, asOf }: Pick<Question, 'to' | 'asOf'>,
): Promise<CoveredCount> {
  const [token] = await readTokens(registry, partition, [jti])
  if (token === undefined || token.issuedUs > to) {
    return { tokens: 0, exact: true }
  }
  const cutoffs = await readCutoffs(registry, partition, token.identity, [token], asOf)
  const counted = !(asOf === asOfNow && token.flagged) && !isCutOff(token, cutoffs)
  return { tokens: counted ? 1 : 0, exact: true }
}

/** What a token has issued, at any depth; nothing when the token has expired, and that with it. */
async function countIssued(
  registry: Registry,
  partition: number,
  jti: string,
  { from, to, asOf }: Omit<Question, 'selector'>,
): Promise<CoveredCount> {
  const [token] = await readTokens(registry, partition, [jti])
  if (token === undefined) {
    return none
  }
  const { active, exact } = await countIndex(registry, {
    partition,
    identity: token.identity,
    filter: { parent: jti },
    span: { from, to: Math.min(to, anyTime.to) },
    asOf,
  })
  return { tokens: active, exact }
}

function sumOf(counts: readonly CoveredCount[]): CoveredCount {
  return {
    tokens: counts.reduce((sum, { tokens }) => sum + tokens, 0),
    exact: counts.every(({ exact }) => exact),
  }
}
