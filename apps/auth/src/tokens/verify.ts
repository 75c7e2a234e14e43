import { type Claims, isClaims } from './claims.js'
import { accessTokenType, type Jwt } from './jwt.js'

/** As much of a token as is looked at; contracts' TokenText has the same bound. */
export const maxTokenLength = 4096

export interface VerifyOptions {
  /** For revoking: a token that has expired is still known to be ours. */
  allowExpired?: boolean
}

/**
 * The claims of an access token that we signed and that has not expired; undefined for anything
 * else, without saying why. Pure computation: nothing is asked of anyone on a forged token's behalf.
 * Whether it is revoked only the registry knows.
 */
export function verify(
  jwt: Jwt,
  token: string,
  { allowExpired = false }: VerifyOptions = {},
): Claims | undefined {
  if (token.length > maxTokenLength || !token.split('.').every(isCanonical)) return undefined
  try {
    const kid = keyIdOf(jwt.library.decode<object>(token, { complete: true }))
    const key = kid === undefined ? undefined : jwt.keys.publicKey(kid)
    if (key === undefined) return undefined
    // Without options the library uses the verifier that it has made of the current key.
    const usual = kid === jwt.keys.current.kid && !allowExpired
    const claims: unknown = usual
      ? jwt.library.verify(token)
      : jwt.library.verify(token, { key, ignoreExpiration: allowExpired })
    return isClaims(claims) ? claims : undefined
  } catch {
    return undefined
  }
}

/**
 * The `kid` of a header that could be ours. Checked here again, before the library does, because
 * its past advisories all began with a header that it took at its word: the algorithm
 * (CVE-2023-48223), `crit` (CVE-2026-35042), `typ`.
 */
function keyIdOf(decoded: object | null): string | undefined {
  if (decoded === null || !('header' in decoded)) return undefined
  const header = decoded.header
  if (typeof header !== 'object' || header === null || 'crit' in header) return undefined
  if (!('alg' in header) || header.alg !== 'EdDSA') return undefined
  if (!('typ' in header) || header.typ !== accessTokenType) return undefined
  return 'kid' in header && typeof header.kid === 'string' ? header.kid : undefined
}

/**
 * One spelling for each token: characters outside the alphabet, padding, and bits that decode to
 * nothing (RFC 4648 §3.5) make it another text with the same signature, and are refused.
 */
function isCanonical(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment
}
