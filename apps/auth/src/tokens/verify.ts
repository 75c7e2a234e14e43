import { maxTokenLength } from '@portcullis/contracts/names'
import type { SigningKey } from '../keys/index.js'
import { type Claims, isClaims } from './claims.js'
import { accessTokenType, type Jwt } from './jwt.js'

export interface VerifyOptions {
  /** For revoking: a token that has expired is still known to be ours. */
  allowExpired?: boolean
}

/**
 * The claims of an access token that we signed and that has not expired; undefined for anything
 * else, without saying why. Pure computation: nothing is asked of anyone on a forged token's behalf.
 * Whether it is revoked only the registry knows.
 */
export function verify(jwt: Jwt, token: string, options: VerifyOptions = {}): Claims | undefined {
  return verifySigned(jwt, token, options)?.claims
}

/** An access token that we signed, and with which key. */
export interface Signed {
  claims: Claims
  kid: string
}

/** As `verify`, for who has to know the key too: whether that is revoked only the registry knows. */
export function verifySigned(
  jwt: Jwt,
  token: string,
  { allowExpired = false }: VerifyOptions = {},
): Signed | undefined {
  if (token.length > maxTokenLength || !token.split('.').every(isCanonical)) {
    return undefined
  }
  try {
    const key = keyOf(jwt, jwt.library(jwt.keys.current).decode<object>(token))
    if (key === undefined) {
      return undefined
    }
    const library = jwt.library(key)
    // Without options the library uses the verifier that it has made of the key.
    const claims: unknown = allowExpired
      ? library.verify(token, { ignoreExpiration: true })
      : library.verify(token)
    return isClaims(claims) ? { claims, kid: key.kid } : undefined
  } catch {
    return undefined
  }
}

/**
 * The key that a header names, if the header could be ours. Checked here again, before the library
 * does, because its past advisories all began with a header that it took at its word: the algorithm
 * (CVE-2023-48223), `crit` (CVE-2026-35042), `typ`. The algorithm is the key's: the header has to
 * repeat it, and chooses nothing.
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
 * One spelling for each token: characters outside the alphabet, padding, and bits that decode to
 * nothing (RFC 4648 §3.5) make it another text with the same signature, and are refused.
 */
function isCanonical(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment
}
