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
import { partitionOf } from '../ids.js'
import type { Registry } from '../registry.js'
import { run, unavailable } from '../run.js'
import { digestOf } from './digest.js'

type Reply =
  | [issuedUs: string, expiresAt: string]
  | ['other_times', iat: string, exp: string]
  | ['too_many_tokens', waitMs: string]
  | 'identity_not_found'
  | 'identity_suspended'
  | 'key_revoked'
  | 'parent_ended'
  | 'too_many_parents'

const issue = script<Reply>(new URL('./issue.lua', import.meta.url))

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

/** Signs the token's text; called again when the times turn out to be others. */
export interface TokenSigner {
  jti: string
  /** The key that signs. */
  kid: string
  sign(times: TokenTimes): string
}

/** The claims `iat` and `exp`, in Unix seconds on the partition's clock. */
export interface TokenTimes {
  iat: number
  exp: number
}

export interface IssuedToken {
  jti: string
  text: string
  /** Microseconds on the partition's clock; unique in the partition. */
  issuedUs: number
  /**
   * Unix milliseconds, a whole second: `ttlSeconds` after the issue, rounded up, or earlier with
   * its parent.
   */
  expiresAt: number
}

/**
 * Each attempt fails if a second of the partition's clock ends on the way to Redis: the last one
 * only when Redis takes far longer than any deadline.
 */
const maxAttempts = 8

/**
 * Signs a new token and records it with the digest of its text.
 *
 * The same script checks that the identity is active, that the signing key is not revoked, and that
 * the parent is active. So a token that is recorded before its key is revoked is revoked with the
 * key, and a later one is refused here.
 *
 * @throws RegistryError `identity_not_found`, `identity_suspended`, `ttl_invalid`, `key_revoked`,
 * `parent_ended`, `too_many_parents`, `registry_unavailable`
 * @throws TooManyTokensError when the identity has as many live tokens as it may have
 */
export async function issueToken(
  registry: Registry,
  order: TokenOrder,
  signer: TokenSigner,
): Promise<IssuedToken> {
  const { ttlSeconds } = order
  if (!Number.isInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > maxTtlSeconds) {
    throw new RegistryError(
      'ttl_invalid',
      `a token's lifetime must be 1 to ${maxTtlSeconds} whole seconds`,
    )
  }
  const { jti, kid } = signer
  // A guess by this process's clock, which decides nothing: the script tells the right times.
  const second = Math.floor(Date.now() / 1000)
  let times = { iat: second, exp: second + 1 + ttlSeconds }
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const text = signer.sign(times)
    const reply = await record(registry, order, { jti, kid, ...times, digest: digestOf(text) })
    if (typeof reply === 'string') {
      throw refusalOf(reply, order.identity)
    }
    if (reply[0] === 'too_many_tokens') {
      throw new TooManyTokensError(order.identity, registry.maxTokensPerIdentity, Number(reply[1]))
    }
    if (reply[0] !== 'other_times') {
      return { jti, text, issuedUs: Number(reply[0]), expiresAt: Number(reply[1]) }
    }
    times = { iat: Number(reply[1]), exp: Number(reply[2]) }
  }
  throw unavailable(new Error('every answer came after the second that the token was signed for'))
}

interface SignedToken extends TokenTimes {
  jti: string
  kid: string
  digest: string
}

function record(registry: Registry, order: TokenOrder, token: SignedToken): Promise<Reply> {
  const { keys, partitions, maxTokensPerIdentity } = registry
  const { identity, subject, scopes, ttlSeconds, labels, from, parent } = order
  const { jti, kid, iat, exp, digest } = token
  const partition = partitionOf(identity, partitions)
  return run(
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
      maxTokensPerIdentity,
      iat,
      exp,
      digest,
    ],
  )
}

function refusalOf(reply: Extract<Reply, string>, identity: string): RegistryError {
  switch (reply) {
    case 'identity_not_found':
      return identityNotFound(identity)
    case 'identity_suspended':
      return identitySuspended(identity)
    case 'key_revoked':
      return new RegistryError('key_revoked', 'the signing key has been revoked; try again')
    case 'parent_ended':
      return parentEnded()
    case 'too_many_parents':
      return tooManyParents()
  }
}
