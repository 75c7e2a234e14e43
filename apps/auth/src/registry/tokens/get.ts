import type { TokenInfo } from '@portcullis/contracts/tokens'
import { RegistryError } from '../errors.js'
import { partitionOfId } from '../ids.js'
import type { Registry } from '../registry.js'
import { type Cutoffs, isCutOff, readCutoffs } from './cutoffs.js'
import { readTokens, type TokenRecord } from './record.js'

/**
 * Returns a token that has not expired.
 *
 * @throws RegistryError `token_not_found`
 */
export async function getToken(registry: Registry, jti: string): Promise<TokenInfo> {
  const partition = partitionOfId(jti, registry.partitions)
  const [token] = partition === undefined ? [] : await readTokens(registry, partition, [jti])
  if (partition === undefined || token === undefined) {
    throw new RegistryError(
      'token_not_found',
      'the token does not exist or has expired; list the tokens of its identity',
    )
  }
  return infoOf(token, await readCutoffs(registry, partition, token.identity, [token]))
}

/** Returns a token as the API shows it. */
export function infoOf(token: TokenRecord, cutoffs: Cutoffs): TokenInfo {
  const { jti, identity, subject, scope, labels, parents, issuedUs, expiresAt, issuedFrom } = token
  return {
    jti,
    identity,
    subject,
    scope,
    labels,
    parents,
    state: token.revokedById || isCutOff(token, cutoffs) ? 'revoked' : 'active',
    issuedAt: Math.floor(issuedUs / 1000),
    expiresAt,
    issuedFrom,
  }
}
