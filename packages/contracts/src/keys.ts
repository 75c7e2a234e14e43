import { type Static, Type } from '@sinclair/typebox'
import { Milliseconds } from './names.js'
import { Receipt, ReplicaCount } from './revocations.js'

/** What tokens are signed with: Ed25519 (RFC 8037), or ECDSA on P-256 (RFC 7518 §3.4). */
export const SigningAlgorithm = Type.Union([Type.Literal('EdDSA'), Type.Literal('ES256')])
export type SigningAlgorithm = Static<typeof SigningAlgorithm>

/** A signing key's id, `kid`: the RFC 7638 thumbprint of its public part. */
export const KeyId = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'kid' })

/**
 * `next`: published, signs nothing yet. `current`: signs. `previous`: signs no more, and verifies
 * until no token that it signed can be alive. All three are in the JWKS.
 */
export const KeyState = Type.Union([
  Type.Literal('next'),
  Type.Literal('current'),
  Type.Literal('previous'),
])
export type KeyState = Static<typeof KeyState>

/** What is shown of a signing key. All times in Unix milliseconds. */
export const SigningKeyInfo = Type.Object({
  kid: KeyId,
  alg: SigningAlgorithm,
  state: KeyState,
  /** Since when it is published. */
  createdAt: Milliseconds,
  /** Of `next`: from when on it may become current, every cache of the JWKS having it by then. */
  readyAt: Type.Optional(Milliseconds),
  /** Of `current` and `previous`: since when it signs, or signed. */
  activatedAt: Type.Optional(Milliseconds),
  /** Of `current`: when the schedule replaces it; absent when it is replaced by hand only. */
  rotatesAt: Type.Optional(Milliseconds),
  /** Of `previous`: since when it signs no more. */
  retiredAt: Type.Optional(Milliseconds),
  /** Of `previous`: when it is removed. */
  removedAt: Type.Optional(Milliseconds),
})
export type SigningKeyInfo = Static<typeof SigningKeyInfo>

/** `GET /v1/keys`, and the answer to `POST /v1/keys/rotate`: next, current, then the previous ones, newest first. */
export const SigningKeyList = Type.Object({ keys: Type.Array(SigningKeyInfo) })
export type SigningKeyList = Static<typeof SigningKeyList>

/**
 * `POST /v1/keys/:kid/revoke`: the key is compromised. It is removed at once, and every token is
 * revoked with it, whichever key signed it: who has the key can sign for any of them.
 */
export const RevokeKey = Type.Object(
  {
    reason: Type.Optional(Type.String({ maxLength: 256 })),
    /** Wait this many milliseconds at most for the receipt to be complete. */
    wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
    /** Wait until this many Redis replicas have the revocation. */
    replicas: Type.Optional(ReplicaCount),
  },
  { additionalProperties: false },
)
export type RevokeKey = Static<typeof RevokeKey>

export const RevokedKey = Type.Object({
  kid: KeyId,
  revocation: Receipt,
  /** The keys that there are now. */
  keys: Type.Array(SigningKeyInfo),
})
export type RevokedKey = Static<typeof RevokedKey>

const published = { kid: KeyId, use: Type.Literal('sig') }

/** A public signing key (RFC 7517 §4): RFC 8037 §2, or RFC 7518 §6.2. Never a private part. */
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

/** `GET /.well-known/jwks.json` (RFC 7517 §5). */
export const JwkSet = Type.Object({ keys: Type.Array(PublicJwk) })
export type JwkSet = Static<typeof JwkSet>
