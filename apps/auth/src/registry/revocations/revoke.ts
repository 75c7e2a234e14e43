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

/** What to revoke. */
export interface RevocationOrder {
  selector: Selector
  /** Only tokens issued before this moment, Unix milliseconds; not in the future. */
  issuedBefore?: number | undefined
  reason?: string | undefined
  /** With `{all: true}`: the `kid` of a signing key; nothing that it signed is active from here on. */
  kid?: string | undefined
}

/** A revocation that cannot be lost any more. */
export interface Committed {
  id: string
  /** Unix milliseconds. */
  at: number
  /** Covers tokens issued up to and including this microsecond. */
  cutoffUs: number
  selector: Selector
  /** Live tokens that no revocation covered before. */
  tokens: number
  /** There are at least so many; to count them all would have taken too long. */
  atLeast?: true
  /** The microsecond of the commit in each partition that has a part of it. */
  parts: readonly Pick<CommittedPart, 'partition' | 'us'>[]
}

/**
 * Revokes: from the answer on, introspection refuses what the selector covers. A token id that is
 * not known is published and receipted all the same (`tokens: 0`): doubt fails closed.
 *
 * `{all: true}` is one commit in each partition. When one of them fails this throws, though others
 * may be committed: do it again.
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
      ? // An id of a partition that we do not have was never issued; any feed can carry it.
        (partitionOfId(selector.jti, partitions) ?? partitionOf(selector.jti, partitions))
      : partitionOf(selector.identity, partitions)
  return revokeIn(registry, { ...order, partition, id: newId(partition) })
}

/** Commits in one partition, and counts. */
export async function revokeIn(registry: Registry, order: PartitionOrder): Promise<Committed> {
  return committed(registry, order.selector, order.id, [await revokeInPartition(registry, order)])
}

/** The first alone, so that an order that is refused is refused before anything is committed. */
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

/** Counts what the parts cover newly, and keeps the number with their receipts. */
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
