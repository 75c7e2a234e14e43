import { IdentityName, Subject, TokenId } from '@portcullis/contracts/names'
import { ScopeText } from '@portcullis/contracts/scopes'
import { type Static, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

/** Claims of an access token (RFC 9068 §2.2). `iat` and `exp` in Unix seconds. */
export const Claims = Type.Object({
  iss: Type.String(),
  aud: Type.String(),
  sub: Subject,
  client_id: IdentityName,
  scope: ScopeText,
  iat: Type.Integer(),
  exp: Type.Integer(),
  jti: TokenId,
  /**
   * 128 random bits that only the token shows. Ed25519 signs the same claims with the same bytes, so
   * without them the holder of a stolen key could build an issued token from its record.
   */
  salt: Type.String(),
})
export type Claims = Static<typeof Claims>

const check = TypeCompiler.Compile(Claims)

export function isClaims(payload: unknown): payload is Claims {
  return check.Check(payload)
}
