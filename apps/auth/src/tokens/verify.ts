import { maxTokenLength } from '@portcullis/contracts/names'
import type { SigningKey } from '../keys/index.js'
import { type Claims, isClaims } from './claims.js'
import { accessTokenType, type Jwt } from './jwt.js'

export interface VerifyOptions {
  /** Also accept expired tokens, to revoke them or to name their caller. */
  allowExpired?: boolean
}

/**
 * Returns the claims of an access token that this issuer signed and that has not expired; undefined
 * for any other text, without a reason. Only computes, so forged tokens cause no requests. Only the
 * registry knows whether the token is revoked.
 */
export function verify(jwt: Jwt, token: string, options: VerifyOptions = {}): Claims | undefined {
  return verifySigned(jwt, token, options)?.claims
}

/** The claims of a verified access token, and the id of the key that signed it. */
export interface VerifiedToken {
  claims: Claims
  kid: string
}

/**
 * Like `verify`, and also returns the key id. Only the registry knows whether that key is revoked.
 */
export function verifySigned(
  jwt: Jwt,
  token: string,
  { allowExpired = false }: VerifyOptions = {},
): VerifiedToken | undefined {
  if (token.length > maxTokenLength || !token.split('.').every(isCanonical)) {
    return undefined
  }
  try {
    const key = keyOf(jwt, jwt.library(jwt.keys.current).decode<object>(token))
    if (key === undefined) {
      return undefined
    }
    const library = jwt.library(key)
    // Without options, the library uses the verifier that it created once for the key.
    const claims: unknown = allowExpired
      ? library.verify(token, { ignoreExpiration: true })
      : library.verify(token)
    return isClaims(claims) ? { claims, kid: key.kid } : undefined
  } catch {
    return undefined
  }
}

/**
 * Returns the key that a token's header names; undefined if this issuer would not have written the
 * header. The library checks the same, but all its past advisories began with a header that it
 * trusted: the algorithm (CVE-2023-48223), `crit` (CVE-2026-35042), `typ`. The header must repeat
 * the key's own algorithm; it never selects one.
 */
function keyOf({ keys }: Jwt, decoded: object | null): SigningKey | undefined {
  if (decoded === null || !('header' in decoded)) {
    return undefined
  }
  const header = decoded.header
  if (typeof header !== 'object' || header === null || 'crit' in header) {
    return undefined
  }
  if (!('typ' in header) || header.typ !== accessTokenType) {
    return undefined
  }
  if (!('kid' in header) || typeof header.kid !== 'string') {
    return undefined
  }
  const key = keys.find(header.kid)
  return key !== undefined && 'alg' in header && header.alg === key.alg ? key : undefined
}

/**
 * Returns true if a segment is canonical base64url. Characters outside the alphabet, padding, and
 * unused bits (RFC 4648 §3.5) would make another text with the same signature.
 */
function isCanonical(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment
}
