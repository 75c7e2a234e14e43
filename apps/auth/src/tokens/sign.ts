import type { SigningKey } from '../keys/index.js'
import type { Claims } from './claims.js'
import type { Jwt } from './jwt.js'

/** Signs an access token (RFC 9068) with this key. */
export function sign(jwt: Jwt, key: SigningKey, claims: Omit<Claims, 'iss' | 'aud'>): string {
  const payload: Claims = { iss: jwt.issuer, aud: jwt.audience, ...claims }
  return jwt.library(key).sign(payload)
}
