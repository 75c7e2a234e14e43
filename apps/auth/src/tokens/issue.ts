import { maxTokenLength } from '@portcullis/contracts/names'
import type { TokenResponse } from '@portcullis/contracts/tokens'
import { AuthError } from '../errors.js'
import type { SigningKey } from '../keys/index.js'
import {
  type IssuedToken,
  issueToken,
  type Registry,
  RegistryError,
  type TokenOrder,
} from '../registry/index.js'
import type { Jwt } from './jwt.js'
import { sign } from './sign.js'

/**
 * Records a token in the registry, signs it, and returns the response of RFC 6749 §5.1.
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
  const subjectClaims = { sub: order.subject, client_id: order.identity, scope }
  refuseTooLong(jwt, subjectClaims)
  const { key, jti, issuedUs, expiresAt } = await record(registry, jwt, order)
  const iat = Math.floor(issuedUs / 1_000_000)
  const exp = Math.floor(expiresAt / 1000)
  return {
    access_token: sign(jwt, key, { ...subjectClaims, iat, exp, jti }),
    token_type: 'Bearer',
    // Less than `ttlSeconds` if the parent expires earlier.
    expires_in: exp - Math.ceil(issuedUs / 1_000_000),
    scope,
    jti,
  }
}

/** Records the token, and returns its record and the key to sign it with. */
async function record(
  registry: Registry,
  { keys }: Jwt,
  order: TokenOrder,
): Promise<IssuedToken & { key: SigningKey }> {
  await keys.ensureFresh()
  const key = keys.current
  try {
    return { ...(await issueToken(registry, order, key.kid)), key }
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
  const successor = keys.current
  return { ...(await issueToken(registry, order, successor.kid)), key: successor }
}

/** Upper bound of the base64url length of a token's header, signature, times and id. */
const fixedLength = 400

function refuseTooLong(jwt: Jwt, claims: { sub: string; client_id: string; scope: string }): void {
  const text = JSON.stringify({ iss: jwt.issuer, aud: jwt.audience, ...claims })
  if ((Buffer.byteLength(text) * 4) / 3 + fixedLength <= maxTokenLength) {
    return
  }
  throw new AuthError(
    'invalid_scope',
    `the token would be longer than ${maxTokenLength} characters; request fewer scopes, or patterns`,
  )
}
