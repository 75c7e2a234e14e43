import { maxTtlSeconds } from '@portcullis/contracts/names'
import type { Selector } from '@portcullis/contracts/revocations'
import { script } from '@portcullis/redis'
import { identityNotFound, lastAdministrator, RegistryError } from '../errors.js'
import { leaseTimes } from '../lease-times.js'
import { mustAdminister, type Registry } from '../registry.js'
import { guard, run } from '../run.js'
import { memberOf } from '../tokens/cutoffs.js'

const revokeScript = script<
  | [us: string, cutoffUs: string, before: string | null, cascadeBefore: string | null]
  | 'identity_not_found'
  | 'last_administrator'
  | 'issued_before_in_future'
>(new URL('./revoke.lua', import.meta.url))

/** One partition's part of a revocation. */
export interface PartitionOrder {
  partition: number
  id: string
  selector: Selector
  /** Unix milliseconds, exclusive. */
  issuedBefore?: number | undefined
  reason?: string | undefined
  /** What happens to the identity in the same step. */
  change?: 'suspend' | 'delete'
  /** With `{all: true}`: a signing key to revoke in the same step. */
  kid?: string | undefined
  /** Leaves the revocation out of the list of receipts, and sends no security event of it. */
  unlisted?: boolean | undefined
}

export interface CommittedPart {
  partition: number
  /** The microsecond of the commit. */
  us: number
  cutoffUs: number
  /** Previous cut-off (or revoked flag). */
  before: number | undefined
  /** With `cascade`: previous cut-off of the tokens that the token has issued. */
  cascadeBefore: number | undefined
}

/**
 * Commits a revocation in one partition. Once this resolves, introspection refuses the tokens that the
 * revocation covers, the event is in the feed, and the receipt names every process that must
 * acknowledge it.
 *
 * @throws RegistryError `identity_not_found`, `last_administrator`, `issued_before_in_future`
 */
export async function revokeInPartition(
  registry: Registry,
  order: PartitionOrder,
): Promise<CommittedPart> {
  const { partition, selector } = order
  const identity = 'identity' in selector ? selector.identity : ''
  const owner = 'jti' in selector ? await ownerOf(registry, partition, selector.jti) : identity
  const reply = await run(
    registry,
    revokeScript,
    keysOf(registry, order, owner),
    argumentsOf(registry, order, owner),
  )
  if (reply === 'identity_not_found') {
    throw identityNotFound(identity)
  }
  if (reply === 'last_administrator') {
    throw lastAdministrator(identity)
  }
  if (reply === 'issued_before_in_future') {
    throw new RegistryError(
      'issued_before_in_future',
      'issuedBefore lies in the future; leave it out to revoke every token issued until now',
    )
  }
  const [us, cutoffUs, before, cascadeBefore] = reply
  return {
    partition,
    us: Number(us),
    cutoffUs: Number(cutoffUs),
    before: numberOf(before),
    cascadeBefore: numberOf(cascadeBefore),
  }
}

/** Returns the identity of a token, or '' when the token is unknown. The identity never changes. */
async function ownerOf({ redis, keys }: Registry, partition: number, jti: string): Promise<string> {
  return (await guard(redis.hget(keys.token(partition, jti), 'identity'))) ?? ''
}

/** In the order in which revoke.lua names them. */
function keysOf({ keys }: Registry, { partition, id, selector }: PartitionOrder, owner: string) {
  return [
    keys.clock(partition),
    keys.feed(partition),
    keys.roster(partition),
    keys.leases(partition),
    keys.pending(partition),
    keys.pendingTimes(partition),
    keys.receipts(partition),
    keys.receipt(partition, id),
    keys.token(partition, 'jti' in selector ? selector.jti : ''),
    keys.index(partition, owner),
    keys.cutoffs(partition, owner),
    keys.cutoffAll(partition),
    keys.identity(partition, owner),
    keys.codes(partition, owner),
    keys.removedCodes(partition, owner),
    keys.identities(partition),
    keys.revokedKeys(partition),
  ]
}

/** In the order in which revoke.lua names them. */
function argumentsOf(registry: Registry, order: PartitionOrder, owner: string) {
  const { id, selector, issuedBefore = '', reason = '', change = '', kid = '' } = order
  return [
    id,
    JSON.stringify(selector),
    'jti' in selector ? 'token' : 'all' in selector ? 'all' : 'cutoff',
    'jti' in selector ? selector.jti : '',
    memberOf(selector) ?? '',
    owner,
    issuedBefore,
    reason,
    change,
    mustAdminister(registry, owner),
    kid,
    registry.feedMaxLength,
    registry.receiptTtlSeconds,
    maxTtlSeconds,
    leaseTimes(registry.leaseMs).fenceMs,
    registry.keys.news,
    order.unlisted ? '1' : '',
  ]
}

function numberOf(text: string | null): number | undefined {
  return text === null ? undefined : Number(text)
}
