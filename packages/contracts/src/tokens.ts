import { type Static, Type } from '@sinclair/typebox'
import {
  ChannelName,
  IdentityName,
  Labels,
  Milliseconds,
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
    ttlSeconds: Type.Optional(TtlSeconds),
    labels: Type.Optional(Labels),
  },
  { additionalProperties: false },
)
export type IssueToken = Static<typeof IssueToken>

/** The token answer of RFC 6749 §5.1, and the token's id. `expires_in` in seconds. */
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
  state: TokenState,
  issuedAt: Milliseconds,
  expiresAt: Milliseconds,
  /** The address it was asked from. */
  issuedFrom: Type.String(),
})
export type TokenInfo = Static<typeof TokenInfo>

/** `GET /v1/tokens?identity=…&subject=…&label=…&limit=…&cursor=…`: newest first. */
export const ListTokens = Type.Object(
  {
    identity: IdentityName,
    subject: Type.Optional(Subject),
    label: Type.Optional(Type.String({ maxLength: 64 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
)
export type ListTokens = Static<typeof ListTokens>

export const TokenPage = Type.Object({
  tokens: Type.Array(TokenInfo),
  cursor: Type.Optional(Type.String()),
})
export type TokenPage = Static<typeof TokenPage>
