import { maxParents, maxTtlSeconds } from '@portcullis/contracts/names'
import { script } from '@portcullis/redis'
import {
  identityNotFound,
  identitySuspended,
  parentEnded,
  RegistryError,
  TooManyTokensError,
  tooManyParents,
} from '../errors.js'
import { newId, partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const issue = script<
  | [issuedUs: string, expiresAt: string]
  | ['too_many_tokens', waitMs: string]
  | 'identity_not_found'
  | 'identity_suspended'
  | 'key_revoked'
  | 'parent_ended'
  | 'too_many_parents'
>(new URL('./issue.lua', import.meta.url))

/** A token to issue. The caller has checked the scopes against the identity's. */
export interface TokenOrder {
  identity: string
  subject: string
  scopes: readonly string[]
  ttlSeconds: number
  labels: readonly string[]
  /** The address of the request. */
  from: string
  /** The id of the token that issues it; undefined when the identity's own credentials do. */
  parent?: string | undefined
}

export interface IssuedToken {
  jti: string
  /** Microseconds on the partition's clock; unique in the partition. */
  issuedUs: number
  /**
   * Unix milliseconds, a whole second: `ttlSeconds` after the issue, rounded up, or earlier with
   * its parent.
   */
  expiresAt: number
}

/**
 * Records a new token.
 *
 * The same script checks that the identity is active, that the signing key is not revoked, and that
 * the parent is active. So a token that is recorded before its key is revoked is revoked with the
 * key, and a later one is refused here.
 *
 * @param kid - the key that will sign the token; default: none
 * @throws RegistryError `identity_not_found`, `identity_suspended`, `ttl_invalid`, `key_revoked`,
 * `parent_ended`, `too_many_parents`
 * @throws TooManyTokensError when the identity has as many live tokens as it may have
 */
export async function issueToken(
  registry: Registry,
  order: TokenOrder,
  kid = '',
): Promise<IssuedToken> {
  const { identity, subject, scopes, ttlSeconds, labels, from, parent } = order
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > maxTtlSeconds) {
    throw new RegistryError(
      'ttl_invalid',
      `a token's lifetime must be 1 to ${maxTtlSeconds} whole seconds`,
    )
  }
  const { keys, partitions, maxTokensPerIdentity: max } = registry
  const partition = partitionOf(identity, partitions)
  const jti = newId(partition)
  const reply = await run(
    registry,
    issue,
    [
      keys.clock(partition),
      keys.identity(partition, identity),
      keys.token(partition, jti),
      keys.index(partition, identity),
      keys.expiring(partition, identity),
      keys.revokedKeys(partition),
      keys.cutoffAll(partition),
      keys.cutoffs(partition, identity),
      ...(parent === undefined ? [] : [keys.token(partition, parent)]),
    ],
    [
      identity,
      subject,
      scopes.join(' '),
      ttlSeconds,
      labels.join(' '),
      from,
      jti,
      kid,
      parent ?? '',
      maxParents,
      max,
    ],
  )
  if (reply === 'identity_not_found') {
    throw identityNotFound(identity)
  }
  if (reply === 'identity_suspended') {
    throw identitySuspended(identity)
  }
  if (reply === 'key_revoked') {
    throw new RegistryError('key_revoked', 'the signing key has been revoked; try again')
  }
  if (reply === 'parent_ended') {
    throw parentEnded()
  }
  if (reply === 'too_many_parents') {
    throw tooManyParents()
  }
  if (reply[0] === 'too_many_tokens') {
    throw new TooManyTokensError(identity, max, Number(reply[1]))
  }
  return { jti, issuedUs: Number(reply[0]), expiresAt: Number(reply[1]) }
}
