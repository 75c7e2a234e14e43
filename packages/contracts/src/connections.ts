import { type Static, Type } from '@sinclair/typebox'
import { IdentityName, Label, Labels, Milliseconds, Subject, TokenId } from './names.js'

/**
 * `GET /v1/connections?identity=…&subject=…`: which live connections stand on which tokens, asked of
 * every node. `subject` and `label` need the `identity` that they are of, as in a revocation; `token`
 * is a token's id and stands alone, or with `cascade`. Default: all.
 */
export const ListConnections = Type.Object(
  {
    token: Type.Optional(TokenId),
    /** With `token`: also on everything that it has issued, at any depth. */
    cascade: Type.Optional(Type.Literal(true)),
    identity: Type.Optional(IdentityName),
    subject: Type.Optional(Subject),
    label: Type.Optional(Label),
    /** Tokens, not connections. */
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
    /** How long nodes may take to answer, in milliseconds. */
    wait: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1000 })),
  },
  { additionalProperties: false },
)
export type ListConnections = Static<typeof ListConnections>

/** A token that something stands on at some node. */
export const ConnectedToken = Type.Object({
  jti: TokenId,
  /** What the registry knows of it; absent when it does not: it has just expired, or Redis has lost it. */
  identity: Type.Optional(IdentityName),
  subject: Type.Optional(Subject),
  labels: Type.Optional(Labels),
  /**
   * On all nodes that have answered. What a revocation of the token would close: sockets, HTTP
   * requests under way, and subscriptions that stand on a token of their own.
   */
  connections: Type.Integer(),
  /** When a node first admitted one of them that is still there, by that node's clock. */
  since: Milliseconds,
  nodes: Type.Array(Type.Object({ node: Type.String(), connections: Type.Integer() })),
})
export type ConnectedToken = Static<typeof ConnectedToken>

/**
 * `answered`; `silent`: not in time; `disconnected`: its feed is at no auth instance, so it could not be
 * asked; `unable`: it runs a version of the gate that answers no such questions.
 */
export const AnswerState = Type.Union([
  Type.Literal('answered'),
  Type.Literal('silent'),
  Type.Literal('disconnected'),
  Type.Literal('unable'),
])
export type AnswerState = Static<typeof AnswerState>

/** The tokens of this page, those issued last first. */
export const ConnectionPage = Type.Object({
  tokens: Type.Array(ConnectedToken),
  cursor: Type.Optional(Type.String()),
  /** Of all tokens that are meant, also beyond this page; on the nodes that have answered. */
  connections: Type.Integer(),
  /** Every node has answered. */
  complete: Type.Boolean(),
  /** Each node that may have connections, and how many of those that are meant. */
  nodes: Type.Array(
    Type.Object({
      node: Type.String(),
      state: AnswerState,
      connections: Type.Optional(Type.Integer()),
    }),
  ),
})
export type ConnectionPage = Static<typeof ConnectionPage>

/** Where a token stands in this list: those issued last first, and of one microsecond by their ids. */
export interface TokenPlace {
  issuedUs: number
  jti: string
}

/** Compares two places, for sorting. Nodes and auth have to agree, or pages would leave tokens out. */
export function byPlace(a: TokenPlace, b: TokenPlace): number {
  return b.issuedUs - a.issuedUs || (a.jti < b.jti ? -1 : a.jti > b.jti ? 1 : 0)
}
