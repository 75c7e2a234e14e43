import { randomBytes } from 'node:crypto'
import type { SigningKey } from '../keys/index.js'
import type { TokenTimes } from '../registry/index.js'
import type { Claims } from './claims.js'
import type { Jwt } from './jwt.js'

/** The claims of a token that do not depend on when it is signed. */
export type TimelessClaims = Pick<Claims, 'sub' | 'client_id' | 'scope' | 'jti'>

/** Signs an access token (RFC 9068) with this key. Every text is another, also for equal claims. */
export function sign(
  jwt: Jwt,
  key: SigningKey,
  { sub, client_id, scope, jti }: TimelessClaims,
  { iat, exp }: TokenTimes,
): string {
  const salt = randomBytes(16).toString('base64url')
  const payload: Claims = {
    iss: jwt.issuer,
    aud: jwt.audience,
    sub,
    client_id,
    scope,
    iat,
    exp,
    jti,
    salt,
  }
  return jwt.library(key).sign(payload)
}
