import { type Static, Type } from '@sinclair/typebox'
import { IdentityName, Labels, Parents, Subject, TokenId, TokenText } from './names.js'
import { ScopeText } from './scopes.js'

/** Exactly this, for a token that is unknown, malformed, expired, revoked or suspended (RFC 7662 §2.2). */
export const Inactive = Type.Object(
  { active: Type.Literal(false) },
  { additionalProperties: false },
)

/** RFC 7662 §2.2, and what the revocation watch needs. `iat` and `exp` in Unix seconds. */
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
  /** When it was issued, in microseconds on its partition's clock: what cut-offs compare with. */
  issued_us: Type.Integer(),
  labels: Labels,
  /** What a revocation with `cascade` is matched with. */
  parents: Parents,
})
export type Active = Static<typeof Active>

export const Introspection = Type.Union([Active, Inactive])
export type Introspection = Static<typeof Introspection>

/** How many tokens one `POST /v1/introspections` may carry. */
export const maxIntrospections = 256

/** `POST /v1/introspections`: many tokens at once; answers in the same order. */
export const IntrospectMany = Type.Object(
  { tokens: Type.Array(TokenText, { minItems: 1, maxItems: maxIntrospections }) },
  { additionalProperties: false },
)
export const IntrospectedMany = Type.Object({ results: Type.Array(Introspection) })
export type IntrospectedMany = Static<typeof IntrospectedMany>
