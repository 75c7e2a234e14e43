import { type Claims, isClaims } from './claims.js'
import type { Jwt } from './jwt.js'

/**
 * Returns the claims of an access token that this issuer signed, also of one that has expired;
 * undefined for any other text, without a reason. Proves who issued the token, for the audit log
 * and to revoke it. It grants nothing: only introspection knows whether a token is active.
 */
export function verify(jwt: Jwt, token: string): Claims | undefined {
  const key = jwt.decode(token)?.key
  if (key === undefined) {
    return undefined
  }
  try {
    const claims: unknown = jwt.library(key).verify(token)
    return isClaims(claims) ? claims : undefined
  } catch {
    return undefined
  }
}
