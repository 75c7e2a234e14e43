import { type Static, Type } from '@sinclair/typebox'
import { TokenText } from './names.js'

/** `POST /oauth/token` (RFC 6749 §4.4), form-encoded. Unknown parameters are ignored (§3.2). */
export const TokenRequest = Type.Object({
  grant_type: Type.String({ maxLength: 128 }),
  scope: Type.Optional(Type.String({ maxLength: 4096 })),
  client_id: Type.Optional(Type.String({ maxLength: 384 })),
  client_secret: Type.Optional(Type.String({ maxLength: 384 })),
})
export type TokenRequest = Static<typeof TokenRequest>

/** `POST /oauth/introspect` (RFC 7662 §2.1), form-encoded. */
export const IntrospectRequest = Type.Object({
  token: TokenText,
  token_type_hint: Type.Optional(Type.String({ maxLength: 128 })),
})

/** RFC 6749 §5.2 and RFC 6750 §3.1. */
export const oauthErrors = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'invalid_token',
  'insufficient_scope',
  'unauthorized_client',
  'unsupported_grant_type',
  'temporarily_unavailable',
  'server_error',
] as const
export type OAuthErrorCode = (typeof oauthErrors)[number]

export const OAuthErrorAnswer = Type.Object({
  error: Type.Union(oauthErrors.map((code) => Type.Literal(code))),
  error_description: Type.Optional(Type.String()),
})
export type OAuthErrorAnswer = Static<typeof OAuthErrorAnswer>
