import { type Static, Type } from '@sinclair/typebox'
import { TokenText } from './names.js'
import { ScopeText } from './scopes.js'

/** Upper bound of a client's name and of its secret, as characters before they are checked. */
export const maxCredentialLength = 384

/**
 * Client authentication in a form: a registration code (RFC 6749 §2.3.1) or a JWT (RFC 7523 §2.2).
 */
export const ClientForm = Type.Object({
  client_id: Type.Optional(Type.String({ maxLength: maxCredentialLength })),
  client_secret: Type.Optional(Type.String({ maxLength: maxCredentialLength })),
  client_assertion_type: Type.Optional(Type.String({ maxLength: 128 })),
  client_assertion: Type.Optional(Type.String({ maxLength: 8192 })),
})
export type ClientForm = Static<typeof ClientForm>

/** A parameter that may be sent more than once. */
const Repeatable = Type.Union([
  Type.String({ maxLength: 2048 }),
  Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 16 }),
])

/**
 * Bound of a brief token's lifetime, in seconds. When a client revokes its own brief token, its end is
 * no news: no list of revocations, no audit log and no receiver of security events shows it.
 */
export const briefTokenSeconds = 60

/**
 * `POST /oauth/token`, form-encoded: the client-credentials grant (RFC 6749 §4.4), and token exchange
 * (RFC 8693 §2.1). Unknown parameters are ignored (RFC 6749 §3.2).
 */
export const TokenRequest = Type.Composite([
  ClientForm,
  Type.Object({
    grant_type: Type.String({ maxLength: 128 }),
    scope: Type.Optional(ScopeText),
    /** Requested lifetime in seconds; the token gets no more than it would without. */
    expires_in: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,8}$',
        description: 'a whole number of seconds, 1 or more',
      }),
    ),
    subject_token: Type.Optional(Type.String({ maxLength: 8192 })),
    subject_token_type: Type.Optional(Type.String({ maxLength: 128 })),
    requested_token_type: Type.Optional(Type.String({ maxLength: 128 })),
    audience: Type.Optional(Repeatable),
    resource: Type.Optional(Repeatable),
    actor_token: Type.Optional(Type.String({ maxLength: 8192 })),
    actor_token_type: Type.Optional(Type.String({ maxLength: 128 })),
  }),
])
export type TokenRequest = Static<typeof TokenRequest>

/** Token types of RFC 8693 §3. */
export const tokenTypes = {
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

/** `POST /oauth/introspect` (RFC 7662 §2.1), form-encoded. */
export const IntrospectRequest = Type.Composite([
  ClientForm,
  Type.Object({
    token: TokenText,
    token_type_hint: Type.Optional(Type.String({ maxLength: 128 })),
  }),
])

/**
 * `POST /oauth/revoke` (RFC 7009 §2.1), form-encoded. `token` has a higher bound than a token's
 * length, because RFC 7009 §2.2 has unknown tokens answered with 200, and a longer text is an
 * unknown token.
 */
export const RevokeRequest = Type.Composite([
  ClientForm,
  Type.Object({
    token: Type.String({ minLength: 1, maxLength: 65_536 }),
    token_type_hint: Type.Optional(Type.String({ maxLength: 128 })),
  }),
])

/** RFC 6749 §5.2, RFC 6750 §3.1, RFC 7591 §3.2.2, RFC 8693 §2.2.2. */
export const oauthErrors = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'invalid_scope',
  'invalid_token',
  'insufficient_scope',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_target',
  'invalid_client_metadata',
  'invalid_redirect_uri',
  'temporarily_unavailable',
  'server_error',
] as const
export type OAuthErrorCode = (typeof oauthErrors)[number]

/** Error response (RFC 6749 §5.2). */
export const OAuthErrorResponse = Type.Object({
  error: Type.Union(oauthErrors.map((code) => Type.Literal(code))),
  error_description: Type.Optional(Type.String()),
})
export type OAuthErrorResponse = Static<typeof OAuthErrorResponse>
