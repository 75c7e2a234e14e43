import { type Static, Type } from '@sinclair/typebox'
import { ClientKeys } from './client-keys.js'
import { IdentityName } from './names.js'
import { ScopeText } from './scopes.js'

/** Ways in which a client authenticates itself, by their names in IANA's registry. */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const
export type ClientAuthMethod = (typeof clientAuthMethods)[number]

/** Grants that `/oauth/token` knows. */
export const grantTypes = [
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const
export type GrantType = (typeof grantTypes)[number]

const Words = Type.Array(Type.String({ maxLength: 128 }), { maxItems: 16 })

/**
 * What a client says of itself: `POST /oauth/register` (RFC 7591 §2), and with the last two
 * `PUT /oauth/register/:client_id` (RFC 7592 §2.2). Unknown members are ignored; the value `null`
 * is the same as leaving a member out.
 */
export const RegisterClient = Type.Object({
  client_name: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, pattern: '^[^\\u0000-\\u001f\\u007f]+$' }),
  ),
  /** Default: none at all. */
  scope: Type.Optional(ScopeText),
  /** Default: `["client_credentials"]`. */
  grant_types: Type.Optional(Words),
  response_types: Type.Optional(Words),
  /** Default: `client_secret_basic`. */
  token_endpoint_auth_method: Type.Optional(Type.String({ maxLength: 64 })),
  jwks: Type.Optional(ClientKeys),
  /** Refused: nothing is fetched on somebody's behalf. */
  jwks_uri: Type.Optional(Type.String({ maxLength: 2048 })),
  /** Refused: there is no authorization endpoint. */
  redirect_uris: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 16 })),
})
export type RegisterClient = Static<typeof RegisterClient>

export const ChangeClient = Type.Composite([
  RegisterClient,
  Type.Object({
    client_id: IdentityName,
    client_secret: Type.Optional(Type.String({ maxLength: 384 })),
  }),
])
export type ChangeClient = Static<typeof ChangeClient>

/** What of a registration is kept beside the identity's own fields. */
export const ClientMetadata = Type.Object({
  client_name: Type.Optional(Type.String()),
  token_endpoint_auth_method: Type.Union(clientAuthMethods.map((method) => Type.Literal(method))),
  grant_types: Type.Array(Type.Union(grantTypes.map((grant) => Type.Literal(grant)))),
})
export type ClientMetadata = Static<typeof ClientMetadata>

/**
 * The client information of RFC 7591 §3.2.1 and RFC 7592 §3; times in Unix seconds. `client_secret`
 * is there when it has just been made, and never again: only its hash is kept.
 */
export const ClientInformation = Type.Composite([
  ClientMetadata,
  Type.Object({
    client_id: IdentityName,
    client_id_issued_at: Type.Integer(),
    client_secret: Type.Optional(Type.String()),
    /** 0: never. */
    client_secret_expires_at: Type.Optional(Type.Integer()),
    registration_access_token: Type.String(),
    registration_client_uri: Type.String(),
    scope: ScopeText,
    response_types: Type.Array(Type.String()),
    jwks: Type.Optional(ClientKeys),
  }),
])
export type ClientInformation = Static<typeof ClientInformation>
