import type { Selector } from '@portcullis/contracts/revocations'
import { walkIdentities } from '../identities/walk.js'
import { partitionOf, partitionOfId } from '../ids.js'
import { countIndex } from '../inventory/count-index.js'
import { anyTime } from '../inventory/token-index.js'
import { partitionsOf, type Registry } from '../registry.js'
import { type AsOf, asOfNow, isCutOff, memberOf, readCutoffs } from '../tokens/cutoffs.js'
import { readTokens } from '../tokens/record.js'
import type { CommittedPart } from './revoke-in-partition.js'

/** A revocation of everything counts for at most this time before it is answered. */
const countAllTimeoutMs = 500

/** A number of tokens: exact, or a lower bound. */
export interface CoveredCount {
  tokens: number
  exact: boolean
}

/**
 * Counts the live tokens that a revocation would cover and that no other revocation covers.
 *
 * @param cutoffUs - counts only tokens issued up to and including this microsecond; default: all
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
 * Counts the live tokens that a committed part covers and that no revocation covered before. It
 * counts from the index after the commit, so that a wide revocation commits as fast as a narrow
 * one. The count is exact as far as `countIndex` is, unless an overlapping revocation commits at
 * the same moment.
 */
export async function countNewlyCovered(
  registry: Registry,
  selector: Selector,
  part: CommittedPart,
): Promise<CoveredCount> {
  const { partition, cutoffUs: to } = part
  const asOf = asBefore(selector, part)
  // Tokens up to the previous cut-off were covered before.
  if (!('jti' in selector)) {
    return count(registry, partition, { selector, from: (part.before ?? -1) + 1, to, asOf })
  }
  const { jti, cascade } = selector
  return sumOf(
    await Promise.all([
      // If the token has a revoked flag now, this revocation set it.
      part.before === undefined ? countToken(registry, partition, jti, { to, asOf }) : noTokens,
      cascade === true
        ? countIssued(registry, partition, jti, { from: (part.cascadeBefore ?? -1) + 1, to, asOf })
        : noTokens,
    ]),
  )
}

const noTokens: CoveredCount = { tokens: 0, exact: true }

/**
 * Returns the cut-offs from before the commit: the revocation's previous cut-off, and none
 * for cut-offs that moved later.
 */
function asBefore(selector: Selector, part: CommittedPart): AsOf {
  const own = 'all' in selector ? 'all' : memberOf(selector)
  const before = 'jti' in selector ? part.cascadeBefore : part.before
  return (member, cutoffUs) =>
    member === own ? (before ?? -1) : cutoffUs > part.us ? -1 : cutoffUs
}

interface CoveredQuery {
  selector: Selector
  /** Issue times, in microseconds, both inclusive. */
  from: number
  to: number
  asOf: AsOf
}

async function count(
  registry: Registry,
  partition: number,
  { selector, from, to, asOf }: CoveredQuery,
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
          : noTokens,
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

  const until = performance.now() + countAllTimeoutMs
  const counts: CoveredCount[] = []
  // Deleting an identity has revoked its tokens, so only existing identities count.
  for await (const names of walkIdentities(registry, { partitions: [partition] })) {
    counts.push(...(await Promise.all(names.map((identity) => countOf(identity, {})))))
    if (performance.now() > until) {
      return { ...sumOf(counts), exact: false }
    }
  }
  return sumOf(counts)
}

/**
 * Counts the token if it is alive and no cut-off covers it. A revoked flag counts as a revocation
 * only without a commit (`asOfNow`); after a commit it is the commit's own.
 */
async function countToken(
  registry: Registry,
  partition: number,
  jti: string,
  { to, asOf }: Pick<CoveredQuery, 'to' | 'asOf'>,
): Promise<CoveredCount> {
  const [token] = await readTokens(registry, partition, [jti])
  if (token === undefined || token.issuedUs > to) {
    return { tokens: 0, exact: true }
  }
  const cutoffs = await readCutoffs(registry, partition, token.identity, [token], asOf)
  const counted = !(asOf === asOfNow && token.revokedById) && !isCutOff(token, cutoffs)
  return { tokens: counted ? 1 : 0, exact: true }
}

/**
 * Counts the tokens that a token has issued, at any depth. They have expired when the token has.
 */
async function countIssued(
  registry: Registry,
  partition: number,
  jti: string,
  { from, to, asOf }: Omit<CoveredQuery, 'selector'>,
): Promise<CoveredCount> {
  const [token] = await readTokens(registry, partition, [jti])
  if (token === undefined) {
    return noTokens
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
