import { words } from '../identities/record.js'
import type { Registry } from '../registry.js'
import { unavailable } from '../run.js'

/** A token that has not expired, as stored. */
export interface TokenRecord {
  jti: string
  identity: string
  subject: string
  scope: string
  labels: string[]
  parents: string[]
  issuedUs: number
  /** Unix milliseconds. */
  expiresAt: number
  issuedFrom: string
  /** Revoked by its own id. Cut-offs may cover it as well. */
  revokedById: boolean
}

const fields = [
  'identity',
  'subject',
  'scope',
  'labels',
  'issuedUs',
  'expiresAt',
  'issuedFrom',
  'revoked',
  'parents',
]

/**
 * Reads tokens of one partition in one round trip; undefined for a token that is unknown or has
 * expired.
 */
export async function readTokens(
  registry: Registry,
  partition: number,
  jtis: readonly string[],
): Promise<(TokenRecord | undefined)[]> {
  if (jtis.length === 0) {
    return []
  }
  const pipeline = registry.redis.pipeline()
  for (const jti of jtis) {
    pipeline.hmget(registry.keys.token(partition, jti), ...fields)
  }
  const replies = await pipeline.exec().catch((error) => {
    throw unavailable(error)
  })
  return jtis.map((jti, index) => {
    const [error, values] = replies?.[index] ?? [new Error('no reply')]
    if (error !== null || !Array.isArray(values)) {
      throw unavailable(error)
    }
    return tokenOf(jti, values)
  })
}

function tokenOf(jti: string, values: readonly unknown[]): TokenRecord | undefined {
  const [identity, subject, scope, labels, issuedUs, expiresAt, issuedFrom, revoked, parents] =
    values
  if (typeof identity !== 'string') {
    return undefined
  }
  return {
    jti,
    identity,
    subject: String(subject),
    scope: String(scope),
    labels: words(String(labels)),
    parents: words(String(parents)),
    issuedUs: Number(issuedUs),
    expiresAt: Number(expiresAt),
    issuedFrom: String(issuedFrom),
    revokedById: revoked !== null,
  }
}
