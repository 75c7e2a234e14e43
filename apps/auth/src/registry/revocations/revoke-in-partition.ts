import { maxTtlSeconds } from '@portcullis/contracts/names'
import type { Selector } from '@portcullis/contracts/revocations'
import { script } from '@portcullis/redis'
import { identityNotFound, lastAdministrator, RegistryError } from '../errors.js'
import { leaseTimes } from '../lease-times.js'
import { isGuarded, type Registry } from '../registry.js'
import { guard, run } from '../run.js'
import { memberOf } from '../tokens/cutoffs.js'

const commitScript = script<
  | [us: string, cutoffUs: string, before: string | null, cascadeBefore: string | null]
  | 'identity_not_found'
  | 'last_administrator'
  | 'issued_before_in_future'
>(
  new URL('../lua/partition-clock.lua', import.meta.url),
  new URL('../lua/lease.lua', import.meta.url),
  new URL('../lua/token-index.lua', import.meta.url),
  new URL('../lua/administrator.lua', import.meta.url),
  new URL('./revoke.lua', import.meta.url),
)

/** One partition's part of a revocation. */
export interface Commit {
  partition: number
  id: string
  selector: Selector
  /** Unix milliseconds, exclusive. */
  issuedBefore?: number | undefined
  reason?: string | undefined
  /** What becomes of the identity in the same step. */
  change?: 'suspend' | 'delete'
  /** With `{all: true}`: a signing key that is revoked in the same step. */
  kid?: string | undefined
}

export interface CommittedPart {
  partition: number
  /** The microsecond of the commit. */
  us: number
  cutoffUs: number
  /** The cut-off, or the token's mark, as it was before. */
  before: number | undefined
  /** With `cascade`: the cut-off of what the token has issued, as it was before. */
  cascadeBefore: number | undefined
}

/**
 * Commits a revocation in one partition. Once this gives an answer, introspection refuses what it
 * covers, the event is in the feed, and the receipt names every node that has to acknowledge it.
 */
export async function commit(registry: Registry, order: Commit): Promise<CommittedPart> {
  const { partition, id, selector, issuedBefore = '', reason = '', change = '', kid = '' } = order
  const { keys, feedMaxLength, receiptTtlSeconds } = registry
  const identity = 'identity' in selector ? selector.identity : ''
  const reply = await run(
    registry,
    commitScript,
    [
      keys.clock(partition),
      keys.feed(partition),
      keys.leases(partition),
      keys.pending(partition),
      keys.pendingTimes(partition),
      keys.receipts(partition),
      keys.receipt(partition, id),
      markedKey(registry, partition, selector),
      keys.roster(partition),
      ...(change === ''
        ? await keysOfToken(registry, partition, selector)
        : [
            keys.identity(partition, identity),
            keys.codes(partition, identity),
            keys.identities(partition),
            keys.removedCodes(partition, identity),
          ]),
      ...(kid === '' ? [] : [keys.revokedKeys(partition)]),
    ],
    [
      id,
      JSON.stringify(selector),
      'jti' in selector ? 'token' : 'all' in selector ? 'all' : 'cutoff',
      'jti' in selector ? selector.jti : (memberOf(selector) ?? ''),
      issuedBefore,
      reason,
      change,
      identity,
      feedMaxLength,
      receiptTtlSeconds,
      maxTtlSeconds,
      leaseTimes(registry.leaseMs).fenceMs,
      keys.news,
      kid,
      isGuarded(registry, identity),
      'jti' in selector ? (memberOf(selector) ?? '') : '',
    ],
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
  const [us, cutoffUs, ...before] = reply
  return {
    partition,
    us: Number(us),
    cutoffUs: Number(cutoffUs),
    before: numberOf(before[0]),
    cascadeBefore: numberOf(before[1]),
  }
}

function markedKey({ keys }: Registry, partition: number, selector: Selector): string {
  if ('jti' in selector) {
    return keys.token(partition, selector.jti)
  }
  if ('all' in selector) {
    return keys.cutoffAll(partition)
  }
  return keys.cutoffs(partition, selector.identity)
}

function numberOf(text: string | null): number | undefined {
  return text === null ? undefined : Number(text)
}

/**
 * The index that has the token, and the cut-offs of its identity, which never changes. None when the
 * token is not known: it has expired, and all that it has issued with it.
 */
async function keysOfToken(
  { redis, keys }: Registry,
  partition: number,
  selector: Selector,
): Promise<string[]> {
  if (!('jti' in selector)) {
    return []
  }
  const identity = await guard(redis.hget(keys.token(partition, selector.jti), 'identity'))
  if (identity === null) {
    return []
  }
  return [keys.index(partition, identity), keys.cutoffs(partition, identity)]
}
