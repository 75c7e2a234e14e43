import { type Static, Type } from '@sinclair/typebox'
import {
  ChannelName,
  IdentityName,
  Label,
  Labels,
  Milliseconds,
  Parents,
  Subject,
  TokenId,
  TtlSeconds,
} from './names.js'
import { ScopeText } from './scopes.js'

/** `POST /v1/tokens`: a token of the calling identity, for one of its users. */
export const IssueToken = Type.Object(
  {
    subject: Subject,
    /** Default: the channel scopes of the calling identity, and none of its service scopes. */
    scope: Type.Optional(ScopeText),
    /**
     * A subscription token: for this channel alone, shown in `subscribe`. The same as the scope
     * `subscribe:<channel>`, and instead of it.
     */
    channel: Type.Optional(ChannelName),
    /** The token ends with the calling token at the latest. */
    ttlSeconds: Type.Optional(TtlSeconds),
    labels: Type.Optional(Labels),
  },
  { additionalProperties: false },
)
export type IssueToken = Static<typeof IssueToken>

/**
 * The token answer of RFC 6749 §5.1, and the token's id. `expires_in` in seconds: how long the token
 * lives, which may be less than was asked for.
 */
export const TokenAnswer = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer(),
  scope: ScopeText,
  jti: TokenId,
})
export type TokenAnswer = Static<typeof TokenAnswer>

export const TokenState = Type.Union([Type.Literal('active'), Type.Literal('revoked')])

/** A token as the registry knows it; the token itself is stored nowhere. */
export const TokenInfo = Type.Object({
  jti: TokenId,
  identity: IdentityName,
  subject: Subject,
  scope: ScopeText,
  labels: Labels,
  parents: Parents,
  state: TokenState,
  issuedAt: Milliseconds,
  expiresAt: Milliseconds,
  /** The address it was asked from. */
  issuedFrom: Type.String(),
})
export type TokenInfo = Static<typeof TokenInfo>

/**
 * Which tokens are meant, of those that have not expired: each property that is given narrows them. A
 * query of `GET /v1/tokens` and of the counts.
 */
const filter = {
  /** Default: every identity that is registered. */
  identity: Type.Optional(IdentityName),
  subject: Type.Optional(Subject),
  label: Type.Optional(Label),
  /** Issued by the token with this id, directly or through others. */
  parent: Type.Optional(TokenId),
  state: Type.Optional(TokenState),
  /** Issued at this moment or later, Unix milliseconds. */
  issuedAfter: Type.Optional(Milliseconds),
  /** Issued before this moment, as in a revocation. */
  issuedBefore: Type.Optional(Milliseconds),
  /** Expires before this moment. */
  expiresBefore: Type.Optional(Milliseconds),
}

/** How many, and from where: the `cursor` of the page before. */
const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
}

/**
 * `GET /v1/tokens?identity=…&subject=…&limit=…&cursor=…`: newest first; without `identity` the
 * identities one after the other, by name.
 */
export const ListTokens = Type.Object({ ...filter, ...paging }, { additionalProperties: false })
export type ListTokens = Static<typeof ListTokens>

/** A page may be short, even empty, and have a cursor all the same: the list ends where there is none. */
export const TokenPage = Type.Object({
  tokens: Type.Array(TokenInfo),
  cursor: Type.Optional(Type.String()),
})
export type TokenPage = Static<typeof TokenPage>

/** `GET /v1/tokens/count?identity=…&subject=…`: the filters of the list. */
export const CountTokens = Type.Object(filter, { additionalProperties: false })
export type CountTokens = Static<typeof CountTokens>

/** How many tokens there are that have not expired. */
export const TokenCount = Type.Object({
  active: Type.Integer(),
  revoked: Type.Integer(),
  /** False: to count them all would have taken too long; there are at least so many. */
  exact: Type.Boolean(),
})
export type TokenCount = Static<typeof TokenCount>

/** `GET /v1/tokens/count/by-identity?label=…&limit=…&cursor=…`: the same for each identity, by name. */
export const CountTokensByIdentity = Type.Object(
  { ...filter, ...paging },
  { additionalProperties: false },
)
export type CountTokensByIdentity = Static<typeof CountTokensByIdentity>

/** Identities that have none are left out, so a page may be short, and have a cursor all the same. */
export const IdentityCountPage = Type.Object({
  identities: Type.Array(Type.Composite([Type.Object({ identity: IdentityName }), TokenCount])),
  cursor: Type.Optional(Type.String()),
})
export type IdentityCountPage = Static<typeof IdentityCountPage>
