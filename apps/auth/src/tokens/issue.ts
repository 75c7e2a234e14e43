import { maxTokenLength } from '@portcullis/contracts/names'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import { AuthError } from '../errors.js'
import type { SigningKey } from '../keys/index.js'
import {
  type IssuedToken,
  issueToken,
  partitionOf,
  type Registry,
  RegistryError,
  type TokenOrder,
  type TokenSigner,
} from '../registry/index.js'
import type { Jwt } from './jwt.js'
import { sign, type TimelessClaims } from './sign.js'
import { newTokenId } from './token-id.js'

/**
 * Signs a token, records it in the registry, and returns the response of RFC 6749 §5.1.
 *
 * @throws AuthError `invalid_scope` when the token would be longer than `maxTokenLength`
 * @throws RegistryError `identity_not_found`, `identity_suspended`, `ttl_invalid`,
 * `parent_ended`, `too_many_parents`
 * @throws KeySetError `registry_unavailable`
 */
export async function issue(
  registry: Registry,
  jwt: Jwt,
  order: TokenOrder,
): Promise<TokenResponse> {
  const scope = order.scopes.join(' ')
  const claims = { sub: order.subject, client_id: order.identity, scope }
  refuseTooLong(jwt, claims)
  const { jti, text, issuedUs, expiresAt } = await signAndRecord(registry, jwt, order, claims)
  return {
    access_token: text,
    token_type: 'Bearer',
    // Less than `ttlSeconds` if the parent expires earlier.
    expires_in: expiresAt / 1000 - Math.ceil(issuedUs / 1_000_000),
    scope,
    jti,
  }
}

type SubjectClaims = Omit<TimelessClaims, 'jti'>

async function signAndRecord(
  registry: Registry,
  jwt: Jwt,
  order: TokenOrder,
  claims: SubjectClaims,
): Promise<IssuedToken> {
  const { keys } = jwt
  const issueWith = (key: SigningKey) =>
    issueToken(registry, order, signerOf(registry, jwt, key, claims))
  await keys.ensureFresh()
  const key = keys.current
  try {
    return await issueWith(key)
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'key_revoked') {
      throw error
    }
  }
  await keys.refresh()
  // A failover may have lost the key's removal but not its revocation.
  if (keys.current.kid === key.kid) {
    await keys.remove(key.kid)
  }
  return issueWith(keys.current)
}

function signerOf(
  { partitions }: Registry,
  jwt: Jwt,
  key: SigningKey,
  claims: SubjectClaims,
): TokenSigner {
  const identity = claims.client_id
  const jti = newTokenId(key.idSecret, partitionOf(identity, partitions), identity)
  return { jti, kid: key.kid, sign: (times) => sign(jwt, key, { ...claims, jti }, times) }
}

/** Upper bound of the base64url length of a token's header, signature, times, id and salt. */
const fixedLength = 400

function refuseTooLong(jwt: Jwt, claims: SubjectClaims): void {
  const text = JSON.stringify({ iss: jwt.issuer, aud: jwt.audience, ...claims })
  if ((Buffer.byteLength(text) * 4) / 3 + fixedLength <= maxTokenLength) {
    return
  }
  throw new AuthError(
    'invalid_scope',
    `the token would be longer than ${maxTokenLength} characters; request fewer scopes, or patterns`,
  )
}
