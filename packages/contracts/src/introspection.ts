import { type Static, Type } from '@sinclair/typebox'
import { IdentityName, Labels, Parents, Subject, TokenId, TokenText } from './names.js'
import { ScopeText } from './scopes.js'

/** The whole response for every token that is not active, whatever the reason (RFC 7662 §2.2). */
export const Inactive = Type.Object(
  { active: Type.Literal(false) },
  { additionalProperties: false },
)

/** RFC 7662 §2.2, and the members that revocations select by. `iat` and `exp` in Unix seconds. */
export const Active = Type.Object({
  active: Type.Literal(true),
  jti: TokenId,
  client_id: IdentityName,
  sub: Subject,
  scope: ScopeText,
  iat: Type.Integer(),
  exp: Type.Integer(),
  iss: Type.String(),
  aud: Type.String(),
  token_type: Type.Literal('Bearer'),
  /** Issue time in microseconds on the partition's clock; cut-offs are compared with it. */
  issued_us: Type.Integer(),
  /**
   * Milliseconds until the token expires, on the partition's clock when it answered. Count them on a
   * clock of your own, and compare `exp` with none: the clocks may differ.
   */
  expires_in_ms: Type.Integer({ minimum: 1 }),
  labels: Labels,
  /** A revocation with `cascade` covers the token if it selects one of these. */
  parents: Parents,
})
export type Active = Static<typeof Active>

export const Introspection = Type.Union([Active, Inactive])
export type Introspection = Static<typeof Introspection>

/** Upper bound of the tokens in one `POST /v1/introspections`. */
export const maxIntrospections = 256

/** `POST /v1/introspections`: many tokens at once; results in the same order. */
export const IntrospectMany = Type.Object(
  { tokens: Type.Array(TokenText, { minItems: 1, maxItems: maxIntrospections }) },
  { additionalProperties: false },
)
export const IntrospectedMany = Type.Object({ results: Type.Array(Introspection) })
export type IntrospectedMany = Static<typeof IntrospectedMany>
