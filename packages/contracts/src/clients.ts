import { type Static, Type } from '@sinclair/typebox'
import { IdentityName } from './names.js'
import { maxCredentialLength } from './oauth.js'
import { ScopeText } from './scopes.js'

/** Client authentication methods, by their names in IANA's registry. */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const
export type ClientAuthMethod = (typeof clientAuthMethods)[number]

/** Grant types of `/oauth/token`. */
export const grantTypes = [
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const
export type GrantType = (typeof grantTypes)[number]

/** Upper bound of an identity's public keys: enough to rotate them in several places at once. */
export const maxClientKeys = 8

/** A base64url member of a JWK; an RSA modulus of 4096 bits has 683 characters. */
const Base64url = Type.String({
  minLength: 1,
  maxLength: 700,
  pattern: '^[A-Za-z0-9_-]+$',
  description: 'base64url',
})

/**
 * A client's public key (RFC 7517): Ed25519, P-256 or RSA. Unknown members are ignored (§4), except
 * those of a private key: auth refuses a key that has one.
 */
export const ClientKey = Type.Object({
  kty: Type.Union([Type.Literal('OKP'), Type.Literal('EC'), Type.Literal('RSA')]),
  /** Default: the key's thumbprint (RFC 7638). */
  kid: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[!-~]+$',
      description: 'visible ASCII characters',
    }),
  ),
  /** Required for RSA: `RS256` or `PS256`. Other keys have one algorithm each. */
  alg: Type.Optional(Type.String({ maxLength: 16 })),
  use: Type.Optional(Type.Literal('sig')),
  crv: Type.Optional(Type.Union([Type.Literal('Ed25519'), Type.Literal('P-256')])),
  x: Type.Optional(Base64url),
  y: Type.Optional(Base64url),
  n: Type.Optional(Base64url),
  e: Type.Optional(Base64url),
})
export type ClientKey = Static<typeof ClientKey>

/** A client's key set (RFC 7517 §5). */
export const ClientKeys = Type.Object({
  keys: Type.Array(ClientKey, { minItems: 1, maxItems: maxClientKeys }),
})
export type ClientKeys = Static<typeof ClientKeys>

const Words = Type.Array(Type.String({ maxLength: 128 }), { maxItems: 16 })

/**
 * `POST /oauth/register` (RFC 7591 §2). Unknown members are ignored; `null` is the same as absent.
 */
export const RegisterClient = Type.Object({
  client_name: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: '^[^\\u0000-\\u001f\\u007f]+$',
      description: 'text without control characters',
    }),
  ),
  /** Default: no scope. */
  scope: Type.Optional(ScopeText),
  /** Default: `["client_credentials"]`. */
  grant_types: Type.Optional(Words),
  response_types: Type.Optional(Words),
  /** Default: `client_secret_basic`. */
  token_endpoint_auth_method: Type.Optional(Type.String({ maxLength: 64 })),
  jwks: Type.Optional(ClientKeys),
  /** Refused: auth fetches no URL that a client names. */
  jwks_uri: Type.Optional(Type.String({ maxLength: 2048 })),
  /** Refused unless empty: auth has no authorization endpoint. */
  redirect_uris: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 16 })),
})
export type RegisterClient = Static<typeof RegisterClient>

/** `PUT /oauth/register/:client_id` (RFC 7592 §2.2). */
export const ChangeClient = Type.Composite([
  RegisterClient,
  Type.Object({
    client_id: IdentityName,
    client_secret: Type.Optional(Type.String({ maxLength: maxCredentialLength })),
  }),
])
export type ChangeClient = Static<typeof ChangeClient>

/** The part of a registration that an identity has no field of its own for. */
export const ClientMetadata = Type.Object({
  client_name: Type.Optional(Type.String()),
  token_endpoint_auth_method: Type.Union(clientAuthMethods.map((method) => Type.Literal(method))),
  grant_types: Type.Array(Type.Union(grantTypes.map((grant) => Type.Literal(grant)))),
})
export type ClientMetadata = Static<typeof ClientMetadata>

/**
 * Client information of RFC 7591 §3.2.1 and RFC 7592 §3; times in Unix seconds. `client_secret` is
 * present only when it was just created: auth stores its hash alone.
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
