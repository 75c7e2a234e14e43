import { type Static, Type } from '@sinclair/typebox'
import { IdentityName, Label, Labels, Milliseconds, Subject, TokenId } from './names.js'

/**
 * `GET /v1/connections?identity=…&subject=…`: asks every node which tokens its live connections
 * use. As in a revocation, `subject` and `label` require their `identity`, and `token` or `jti`
 * (an id) goes alone or with `cascade`. Default: all tokens.
 */
export const ListConnections = Type.Object(
  {
    token: Type.Optional(TokenId),
    /** The same as `token`. */
    jti: Type.Optional(TokenId),
    /** Only with `token`: also the tokens that it has issued, at any depth. */
    cascade: Type.Optional(Type.Literal(true)),
    identity: Type.Optional(IdentityName),
    subject: Type.Optional(Subject),
    label: Type.Optional(Label),
    /** Counts tokens, not connections. */
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
    cursor: Type.Optional(Type.String({ maxLength: 64 })),
    /** Milliseconds to wait for the nodes. */
    wait: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 1000 })),
  },
  { additionalProperties: false },
)
export type ListConnections = Static<typeof ListConnections>

/** A token that connections use. */
export const ConnectedToken = Type.Object({
  jti: TokenId,
  /** Absent, as `subject` and `labels` are, when the registry no longer has the token. */
  identity: Type.Optional(IdentityName),
  subject: Type.Optional(Subject),
  labels: Type.Optional(Labels),
  /**
   * On all nodes that have answered: the sockets, running HTTP requests, and subscriptions with a
   * token of their own, that a revocation of the token would close.
   */
  connections: Type.Integer(),
  /** When the oldest live connection was admitted, on its node's clock. */
  since: Milliseconds,
  nodes: Type.Array(Type.Object({ node: Type.String(), connections: Type.Integer() })),
})
export type ConnectedToken = Static<typeof ConnectedToken>

/**
 * `silent`: the node did not answer in time. `disconnected`: the node has no feed connection to any
 * auth instance, so it could not be asked. `unable`: the node's version of the gate answers no
 * inquiries.
 */
export const AnswerState = Type.Union([
  Type.Literal('answered'),
  Type.Literal('silent'),
  Type.Literal('disconnected'),
  Type.Literal('unable'),
])
export type AnswerState = Static<typeof AnswerState>

/** Tokens, newest first. */
export const ConnectionPage = Type.Object({
  tokens: Type.Array(ConnectedToken),
  cursor: Type.Optional(Type.String()),
  /** Of all selected tokens, also beyond this page, on the nodes that have answered. */
  connections: Type.Integer(),
  /** True if every node has answered. */
  complete: Type.Boolean(),
  /** Each node that may have connections, with its connections of all selected tokens. */
  nodes: Type.Array(
    Type.Object({
      node: Type.String(),
      state: AnswerState,
      connections: Type.Optional(Type.Integer()),
    }),
  ),
})
export type ConnectionPage = Static<typeof ConnectionPage>

/** A token's position in the list: newest first; tokens of the same microsecond by id. */
export interface TokenPlace {
  issuedUs: number
  jti: string
}

/**
 * Compares two places, for sorting. Nodes and auth must use the same order, or pages would skip
 * tokens.
 */
export function byPlace(a: TokenPlace, b: TokenPlace): number {
  return b.issuedUs - a.issuedUs || (a.jti < b.jti ? -1 : a.jti > b.jti ? 1 : 0)
}
