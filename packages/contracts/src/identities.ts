import { type Static, Type } from '@sinclair/typebox'
import { ClientKeys } from './client-keys.js'
import { ClientMetadata } from './client-registration.js'
import { IdentityName, Labels, Milliseconds, NodePatterns, TtlSeconds } from './names.js'
import { Scope, Scopes } from './scopes.js'

export const IdentityState = Type.Union([Type.Literal('active'), Type.Literal('suspended')])

/** `POST /v1/identities` */
export const RegisterIdentity = Type.Object(
  {
    identity: IdentityName,
    scopes: Scopes,
    tokenTtlSeconds: Type.Optional(TtlSeconds),
    labels: Type.Optional(Labels),
    /** The first registration code stops working after this many seconds; without it, never. */
    codeTtlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
    /** Public keys with which it may sign for itself, beside its registration code. */
    jwks: Type.Optional(ClientKeys),
    /** Names that nodes of this identity may have on the feed. Default: any. */
    nodes: Type.Optional(NodePatterns),
  },
  { additionalProperties: false },
)
export type RegisterIdentity = Static<typeof RegisterIdentity>

/** `PATCH /v1/identities/:identity`: only what is named changes; tokens already issued keep their scopes. */
export const ChangeIdentity = Type.Object(
  {
    scopes: Type.Optional(Scopes),
    tokenTtlSeconds: Type.Optional(Type.Union([TtlSeconds, Type.Null()])),
    labels: Type.Optional(Labels),
    /** Instead of all that it has; null: none. */
    jwks: Type.Optional(Type.Union([ClientKeys, Type.Null()])),
    /** null: any name. Nodes that are connected are asked for theirs when they next say hello. */
    nodes: Type.Optional(Type.Union([NodePatterns, Type.Null()])),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type ChangeIdentity = Static<typeof ChangeIdentity>

/** What is shown of a registration code after the one time that it was shown itself. */
export const RegistrationCodeInfo = Type.Object({
  id: Type.String(),
  createdAt: Milliseconds,
  expiresAt: Type.Optional(Milliseconds),
  /** What it is good for at most: the scopes of who made it. Absent when that was an administrator. */
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
  /** Public keys with which it may sign for itself. */
  jwks: Type.Optional(ClientKeys),
  /** Names that its nodes may have on the feed; absent: any. */
  nodes: Type.Optional(NodePatterns),
  /** What it said of itself when it was registered at `/oauth/register`. */
  client: Type.Optional(ClientMetadata),
})
export type Identity = Static<typeof Identity>

/** The answer to registering: the only time that the code is shown. */
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

/** `POST /v1/identities/:identity/registration-codes`: one more code, beside or instead of the others. */
export const AddRegistrationCode = Type.Object(
  {
    ttlSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
    /** Rotation: every other code stops working after this many seconds (0: now). */
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
