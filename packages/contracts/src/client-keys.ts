import { type Static, Type } from '@sinclair/typebox'

/** How many public keys an identity may have: enough to rotate them in several places at once. */
export const maxClientKeys = 8

/** A member of a JWK that has base64url in it; an RSA modulus of 4096 bits has 683 characters. */
const Base64url = Type.String({ minLength: 1, maxLength: 700, pattern: '^[A-Za-z0-9_-]+$' })

/**
 * A public key with which an identity signs for itself (RFC 7517): Ed25519, P-256 or RSA. Members
 * that are not named here are ignored (§4), but for those of a private key, which are refused.
 */
export const ClientKey = Type.Object({
  kty: Type.Union([Type.Literal('OKP'), Type.Literal('EC'), Type.Literal('RSA')]),
  /** By default the key's thumbprint (RFC 7638). */
  kid: Type.Optional(Type.String({ minLength: 1, maxLength: 128, pattern: '^[!-~]+$' })),
  /** What the key signs with; an RSA key says `RS256` or `PS256`, of the others it follows. */
  alg: Type.Optional(Type.String({ maxLength: 16 })),
  use: Type.Optional(Type.Literal('sig')),
  crv: Type.Optional(Type.Union([Type.Literal('Ed25519'), Type.Literal('P-256')])),
  x: Type.Optional(Base64url),
  y: Type.Optional(Base64url),
  n: Type.Optional(Base64url),
  e: Type.Optional(Base64url),
})
export type ClientKey = Static<typeof ClientKey>

/** A set of them (RFC 7517 §5). */
export const ClientKeys = Type.Object({
  keys: Type.Array(ClientKey, { minItems: 1, maxItems: maxClientKeys }),
})
export type ClientKeys = Static<typeof ClientKeys>
