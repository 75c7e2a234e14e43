import type { Selector } from '@portcullis/contracts/revocations'
import { newId, partitionOf, partitionOfId } from '../ids.js'
import { partitionsOf, type Registry } from '../registry.js'
import { countNewlyCovered } from './count-covered.js'
import {
  type CommittedPart,
  type PartitionOrder,
  revokeInPartition,
} from './revoke-in-partition.js'
import { setReceipt } from './set-receipt.js'

/** A revocation to commit. */
export interface RevocationOrder {
  selector: Selector
  /** Covers only tokens issued before this time, in Unix milliseconds; not in the future. */
  issuedBefore?: number | undefined
  reason?: string | undefined
  /** With `{all: true}`: a signing key to revoke in the same step. */
  kid?: string | undefined
  /** Leaves the revocation out of the list of receipts, and sends no security event of it. */
  unlisted?: boolean | undefined
}

/** A committed revocation. */
export interface Committed {
  id: string
  /** Unix milliseconds. */
  at: number
  /** The revocation covers tokens issued up to and including this microsecond. */
  cutoffUs: number
  selector: Selector
  /** Live tokens that no revocation covered before. */
  tokens: number
  /** `tokens` is a lower bound: counting all would have taken too long. */
  atLeast?: true
  /** The microsecond of the commit in each partition that has a part. */
  parts: readonly Pick<CommittedPart, 'partition' | 'us'>[]
}

/**
 * Commits a revocation. Once this resolves, introspection refuses the tokens that the selector
 * covers. An unknown token id is published and gets a receipt as well (`tokens: 0`).
 *
 * `{all: true}` is one commit in each partition. When one of them fails this throws, although
 * others may be committed; revoke again.
 *
 * @throws RegistryError `issued_before_in_future`, by the partition's own clock
 */
export async function revoke(registry: Registry, order: RevocationOrder): Promise<Committed> {
  const { selector } = order
  if ('all' in selector) {
    const id = newId('all')
    return committed(registry, selector, id, await commitEverywhere(registry, { ...order, id }))
  }
  const { partitions } = registry
  const partition =
    'jti' in selector
      ? // An id that names no partition here was never issued; any feed can carry the event.
        (partitionOfId(selector.jti, partitions) ?? partitionOf(selector.jti, partitions))
      : partitionOf(selector.identity, partitions)
  return revokeAndCount(registry, { ...order, partition, id: newId(partition) })
}

/** Commits a revocation in one partition, and counts the tokens that it covers. */
export async function revokeAndCount(
  registry: Registry,
  order: PartitionOrder,
): Promise<Committed> {
  return committed(registry, order.selector, order.id, [await revokeInPartition(registry, order)])
}

/**
 * Commits in the first partition alone first, so that an order that is refused is refused before
 * any commit.
 */
async function commitEverywhere(
  registry: Registry,
  order: Omit<PartitionOrder, 'partition'>,
): Promise<CommittedPart[]> {
  const [first = 0, ...others] = partitionsOf(registry)
  const part = await revokeInPartition(registry, { ...order, partition: first })
  return [
    part,
    ...(await Promise.all(
      others.map((partition) => revokeInPartition(registry, { ...order, partition })),
    )),
  ]
}

/** Counts the newly covered tokens of each part, and stores the number in the receipts. */
async function committed(
  registry: Registry,
  selector: Selector,
  id: string,
  parts: readonly CommittedPart[],
): Promise<Committed> {
  const counts = await Promise.all(
    parts.map(async (part) => {
      const { tokens, exact } = await countNewlyCovered(registry, selector, part)
      await setReceipt(registry, part.partition, id, { tokens, ...(exact ? {} : { atLeast: 1 }) })
      return { tokens, exact }
    }),
  )
  return {
    id,
    at: Math.floor(Math.max(...parts.map(({ us }) => us)) / 1000),
    cutoffUs: Math.max(...parts.map(({ cutoffUs }) => cutoffUs)),
    selector,
    tokens: counts.reduce((sum, { tokens }) => sum + tokens, 0),
    parts: parts.map(({ partition, us }) => ({ partition, us })),
    ...(counts.every(({ exact }) => exact) ? {} : { atLeast: true }),
  }
}
