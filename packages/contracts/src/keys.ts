import { type Static, Type } from '@sinclair/typebox'
import { Milliseconds } from './names.js'
import { Reason, Receipt, ReceiptWait, ReplicaCount } from './revocations.js'

/** Signature algorithms of tokens: Ed25519 (RFC 8037), or ECDSA on P-256 (RFC 7518 §3.4). */
export const SigningAlgorithm = Type.Union([Type.Literal('EdDSA'), Type.Literal('ES256')])
export type SigningAlgorithm = Static<typeof SigningAlgorithm>

/** A signing key's id, `kid`: the RFC 7638 thumbprint of its public part. */
export const KeyId = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'a key id (kid)' })

/**
 * `next`: published, not signing yet. `current`: signing. `previous`: no longer signing, kept to
 * verify until every token that it signed has expired. The JWKS has all three.
 */
export const KeyState = Type.Union([
  Type.Literal('next'),
  Type.Literal('current'),
  Type.Literal('previous'),
])
export type KeyState = Static<typeof KeyState>

/** The public description of a signing key. All times in Unix milliseconds. */
export const SigningKeyInfo = Type.Object({
  kid: KeyId,
  alg: SigningAlgorithm,
  state: KeyState,
  /** When the key was published. */
  createdAt: Milliseconds,
  /** Only `next`: when the key may become current, because by then every cache of the JWKS has it. */
  readyAt: Type.Optional(Milliseconds),
  /** Only `current` and `previous`: when the key began to sign. */
  activatedAt: Type.Optional(Milliseconds),
  /** Only `current`: when the schedule replaces the key; absent without a schedule. */
  rotatesAt: Type.Optional(Milliseconds),
  /** Only `previous`: when the key stopped signing. */
  retiredAt: Type.Optional(Milliseconds),
  /** Only `previous`: when the key will be removed. */
  removedAt: Type.Optional(Milliseconds),
})
export type SigningKeyInfo = Static<typeof SigningKeyInfo>

/** `GET /v1/keys`, `POST /v1/keys/rotate`: next, current, then the previous ones, newest first. */
export const SigningKeyList = Type.Object({ keys: Type.Array(SigningKeyInfo) })
export type SigningKeyList = Static<typeof SigningKeyList>

/**
 * `POST /v1/keys/:kid/revoke`, for a compromised key: removes the key at once and revokes every
 * token, whichever key signed it, because the holder of the key can sign a copy of any of them.
 */
export const RevokeKey = Type.Object(
  {
    reason: Type.Optional(Reason),
    wait: Type.Optional(ReceiptWait),
    replicas: Type.Optional(ReplicaCount),
  },
  { additionalProperties: false },
)
export type RevokeKey = Static<typeof RevokeKey>

export const RevokedKey = Type.Object({
  kid: KeyId,
  revocation: Receipt,
  /** The remaining keys. */
  keys: Type.Array(SigningKeyInfo),
})
export type RevokedKey = Static<typeof RevokedKey>

const published = { kid: KeyId, use: Type.Literal('sig') }

/**
 * A public signing key (RFC 7517 §4): RFC 8037 §2, or RFC 7518 §6.2. Never contains private
 * members.
 */
export const PublicJwk = Type.Union([
  Type.Object({
    kty: Type.Literal('OKP'),
    crv: Type.Literal('Ed25519'),
    x: Type.String(),
    ...published,
    alg: Type.Literal('EdDSA'),
  }),
  Type.Object({
    kty: Type.Literal('EC'),
    crv: Type.Literal('P-256'),
    x: Type.String(),
    y: Type.String(),
    ...published,
    alg: Type.Literal('ES256'),
  }),
])
export type PublicJwk = Static<typeof PublicJwk>

/** How long clients may cache the JWKS. A new key is published longer than that before it signs. */
export const jwksMaxAgeSeconds = 300

/** `GET /.well-known/jwks.json` (RFC 7517 §5). */
export const JwkSet = Type.Object({ keys: Type.Array(PublicJwk) })
export type JwkSet = Static<typeof JwkSet>
