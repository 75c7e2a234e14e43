import type { Claims } from './claims.js'
import type { Jwt } from './jwt.js'

/** Signs an access token (RFC 9068) with the current key. */
export function sign(jwt: Jwt, claims: Omit<Claims, 'iss' | 'aud'>): string {
  const payload: Claims = { iss: jwt.issuer, aud: jwt.audience, ...claims }
  return jwt.library.sign(payload)
}
