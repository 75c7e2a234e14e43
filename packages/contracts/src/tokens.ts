import { type Static, Type } from '@sinclair/typebox'
import {
  ChannelName,
  GivenTime,
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

/** `POST /v1/tokens`: issues a token of the calling identity, for one of its users. */
export const IssueToken = Type.Object(
  {
    subject: Subject,
    /** Default: the channel scopes of the calling identity, without its service scopes. */
    scope: Type.Optional(ScopeText),
    /**
     * For a subscription token, which a client sends in `subscribe` for this one channel. The same as
     * the scope `subscribe:<channel>`; not together with `scope`.
     */
    channel: Type.Optional(ChannelName),
    /** The token never outlives the calling token. */
    ttlSeconds: Type.Optional(TtlSeconds),
    labels: Type.Optional(Labels),
  },
  { additionalProperties: false },
)
export type IssueToken = Static<typeof IssueToken>

/**
 * The access token response of RFC 6749 §5.1, and the token's id. `expires_in` is in seconds, and
 * may be less than the lifetime asked for.
 */
export const TokenResponse = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer(),
  scope: ScopeText,
  jti: TokenId,
})
export type TokenResponse = Static<typeof TokenResponse>

export const TokenState = Type.Union([Type.Literal('active'), Type.Literal('revoked')])

/** The registry's record of a token, which does not contain the token itself. */
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
  /** The address that the token was requested from. */
  issuedFrom: Type.String(),
})
export type TokenInfo = Static<typeof TokenInfo>

/** Selects tokens that have not expired and match every given property. */
const filter = {
  /** Default: every registered identity. */
  identity: Type.Optional(IdentityName),
  subject: Type.Optional(Subject),
  label: Type.Optional(Label),
  /** Issued by the token with this id, directly or through others. */
  parent: Type.Optional(TokenId),
  state: Type.Optional(TokenState),
  /** Issued at this moment or later. */
  issuedAfter: Type.Optional(GivenTime),
  /** Issued before this moment, as in a revocation. */
  issuedBefore: Type.Optional(GivenTime),
  /** Expires before this moment. */
  expiresBefore: Type.Optional(GivenTime),
}

const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  /** The previous page's `cursor`. */
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
}

/**
 * `GET /v1/tokens?identity=…&subject=…&limit=…&cursor=…`: newest first. Without `identity`, grouped
 * by identity, in the order of their names.
 */
export const ListTokens = Type.Object({ ...filter, ...paging }, { additionalProperties: false })
export type ListTokens = Static<typeof ListTokens>

/** A page may be short, even empty, and still have a cursor; only the last page has none. */
export const TokenPage = Type.Object({
  tokens: Type.Array(TokenInfo),
  cursor: Type.Optional(Type.String()),
})
export type TokenPage = Static<typeof TokenPage>

/** `GET /v1/tokens/count?identity=…&subject=…` */
export const CountTokens = Type.Object(filter, { additionalProperties: false })
export type CountTokens = Static<typeof CountTokens>

/** Numbers of tokens that have not expired. */
export const TokenCount = Type.Object({
  active: Type.Integer(),
  revoked: Type.Integer(),
  /** False: the numbers are lower bounds, because counting every token would have taken too long. */
  exact: Type.Boolean(),
})
export type TokenCount = Static<typeof TokenCount>

/**
 * `GET /v1/tokens/count/by-identity?label=…&limit=…&cursor=…`: one count for each identity, by
 * name.
 */
export const CountTokensByIdentity = Type.Object(
  { ...filter, ...paging },
  { additionalProperties: false },
)
export type CountTokensByIdentity = Static<typeof CountTokensByIdentity>

/** Identities without tokens are left out, so a page may be short and still have a cursor. */
export const IdentityCountPage = Type.Object({
  identities: Type.Array(Type.Composite([Type.Object({ identity: IdentityName }), TokenCount])),
  cursor: Type.Optional(Type.String()),
})
export type IdentityCountPage = Static<typeof IdentityCountPage>
