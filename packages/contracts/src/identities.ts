import { type Static, Type } from '@sinclair/typebox'
import { ClientKeys, ClientMetadata } from './clients.js'
import { IdentityName, Labels, Milliseconds, NodePatterns, TtlSeconds } from './names.js'
import { Reason, Receipt } from './revocations.js'
import { Scope, Scopes } from './scopes.js'

export const IdentityState = Type.Union([Type.Literal('active'), Type.Literal('suspended')])

/** `POST /v1/identities` */
export const RegisterIdentity = Type.Object(
  {
    identity: IdentityName,
    scopes: Scopes,
    tokenTtlSeconds: Type.Optional(TtlSeconds),
    labels: Type.Optional(Labels),
    /** Seconds after which the first registration code expires. Default: never. */
    codeTtlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
    /** Public keys of the identity's own signing keys, an alternative to its registration code. */
    jwks: Type.Optional(ClientKeys),
    /** Names that the identity's nodes may use on the feed. Default: any. */
    nodes: Type.Optional(NodePatterns),
  },
  { additionalProperties: false },
)
export type RegisterIdentity = Static<typeof RegisterIdentity>

/**
 * `PATCH /v1/identities/:identity`: changes only the given members. Issued tokens keep their
 * scopes.
 */
export const ChangeIdentity = Type.Object(
  {
    scopes: Type.Optional(Scopes),
    tokenTtlSeconds: Type.Optional(Type.Union([TtlSeconds, Type.Null()])),
    labels: Type.Optional(Labels),
    /** Replaces all keys; null removes them. */
    jwks: Type.Optional(Type.Union([ClientKeys, Type.Null()])),
    /** null: any name. A connected node's name is checked at its next hello. */
    nodes: Type.Optional(Type.Union([NodePatterns, Type.Null()])),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type ChangeIdentity = Static<typeof ChangeIdentity>

/** A registration code's description, without the code. */
export const RegistrationCodeInfo = Type.Object({
  id: Type.String(),
  createdAt: Milliseconds,
  expiresAt: Type.Optional(Milliseconds),
  /**
   * Upper bound of its tokens' scopes: those of its creator. Absent if the creator was an
   * administrator.
   */
  scopes: Type.Optional(Type.Array(Scope)),
})
export type RegistrationCodeInfo = Static<typeof RegistrationCodeInfo>

export const Identity = Type.Object({
  identity: IdentityName,
  state: IdentityState,
  scopes: Scopes,
  tokenTtlSeconds: Type.Optional(TtlSeconds),
  labels: Labels,
  createdAt: Milliseconds,
  registrationCodes: Type.Array(RegistrationCodeInfo),
  jwks: Type.Optional(ClientKeys),
  /** Names that the identity's nodes may use on the feed; absent: any. */
  nodes: Type.Optional(NodePatterns),
  /** Metadata of an identity that was registered at `/oauth/register`. */
  client: Type.Optional(ClientMetadata),
})
export type Identity = Static<typeof Identity>

/** Response to a registration, the only one that shows the registration code. */
export const RegisteredIdentity = Type.Composite([
  Identity,
  Type.Object({ registrationCode: Type.String() }),
])
export type RegisteredIdentity = Static<typeof RegisteredIdentity>

export const IdentityPage = Type.Object({
  identities: Type.Array(Identity),
  /** Pass as `cursor` to get the next page; absent on the last. */
  cursor: Type.Optional(Type.String()),
})
export type IdentityPage = Static<typeof IdentityPage>

/** `POST /v1/identities/:identity/registration-codes`: adds a code, or rotates. */
export const AddRegistrationCode = Type.Object(
  {
    ttlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
    /** Rotation: every other code expires after this many seconds (0: now). */
    expireOthersInSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 31_536_000 })),
  },
  { additionalProperties: false },
)
export type AddRegistrationCode = Static<typeof AddRegistrationCode>

export const AddedRegistrationCode = Type.Composite([
  RegistrationCodeInfo,
  Type.Object({ registrationCode: Type.String() }),
])
export type AddedRegistrationCode = Static<typeof AddedRegistrationCode>

/** `POST /v1/identities/:identity/suspend` */
export const SuspendIdentity = Type.Object(
  { reason: Type.Optional(Reason) },
  { additionalProperties: false },
)

export const SuspendedIdentity = Type.Object({ identity: Identity, revocation: Receipt })
export type SuspendedIdentity = Static<typeof SuspendedIdentity>
