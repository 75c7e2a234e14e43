import { type Static, Type } from '@sinclair/typebox'
import { IdentityName, Label, Milliseconds, Subject, TokenId, TokenText } from './names.js'

/** How many Redis replicas a revocation waits for; 0: none. */
export const ReplicaCount = Type.Integer({ minimum: 0, maximum: 16 })

const options = {
  /** Only tokens issued before this moment, in Unix milliseconds; not in the future. */
  issuedBefore: Type.Optional(Milliseconds),
  reason: Type.Optional(Type.String({ maxLength: 256 })),
  /** Only count what would be revoked. */
  dryRun: Type.Optional(Type.Boolean()),
  /** Wait this many milliseconds at most for the receipt to be complete. */
  wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
  /** Wait until this many Redis replicas have it; by default what the installation has set. */
  replicas: Type.Optional(ReplicaCount),
}
const closed = { additionalProperties: false }

/** With everything that the token has issued, at any depth. */
const cascade = Type.Optional(Type.Literal(true))

/** `POST /v1/revocations`: exactly one selector. */
export const Revoke = Type.Union([
  Type.Object({ token: TokenText, cascade, ...options }, closed),
  Type.Object({ identity: IdentityName, ...options }, closed),
  Type.Object({ identity: IdentityName, subject: Subject, ...options }, closed),
  Type.Object({ identity: IdentityName, label: Label, ...options }, closed),
  Type.Object({ all: Type.Literal(true), ...options }, closed),
])
export type Revoke = Static<typeof Revoke>

/** Which tokens a revocation covers, as the registry and the feed write it. */
export const Selector = Type.Union([
  Type.Object({ jti: TokenId, cascade }, closed),
  Type.Object({ identity: IdentityName }, closed),
  Type.Object({ identity: IdentityName, subject: Subject }, closed),
  Type.Object({ identity: IdentityName, label: Label }, closed),
  Type.Object({ all: Type.Literal(true) }, closed),
])
export type Selector = Static<typeof Selector>

export const RevocationId = Type.String({ pattern: '^(?:[0-9]{1,5}|all)-[A-Za-z0-9_-]{22}$' })

/** `fenced`: the node's lease ran out, so it delivers nothing. `pending`: not known to be applied. */
export const NodeState = Type.Union([
  Type.Literal('acked'),
  Type.Literal('fenced'),
  Type.Literal('pending'),
])

export const NodeReceipt = Type.Object({
  node: Type.String(),
  state: NodeState,
  connectionsClosed: Type.Integer(),
  /** From the commit to the acknowledgement, on the registry's clock; absent while pending. */
  ms: Type.Optional(Type.Number()),
})
export type NodeReceipt = Static<typeof NodeReceipt>

/** An auth instance: it acts for callers of its own routes, and acknowledges as a node does. */
export const AuthReceipt = Type.Object({
  /** Host name and process id of the instance. */
  auth: Type.String(),
  state: NodeState,
  /** From the commit to the acknowledgement, on the registry's clock; absent while pending. */
  ms: Type.Optional(Type.Number()),
})
export type AuthReceipt = Static<typeof AuthReceipt>

/** There are at least as many tokens as said; to count them all would have taken too long. */
const atLeast = Type.Optional(Type.Literal(true))

export const Receipt = Type.Object({
  id: RevocationId,
  at: Milliseconds,
  /** Live tokens that it covers. */
  tokens: Type.Integer(),
  atLeast,
  /** A covered token has no effect any more, and receives nothing, at any node and any auth instance. */
  complete: Type.Boolean(),
  nodes: Type.Array(NodeReceipt),
  auths: Type.Array(AuthReceipt),
  selector: Selector,
  reason: Type.Optional(Type.String()),
  /** Redis replicas known to have it when the wait for them ended; absent when none was asked for. */
  replicas: Type.Optional(Type.Integer()),
  /** Redis replicas that it was to wait for; with fewer than these a failover could lose it. */
  replicasAsked: Type.Optional(Type.Integer()),
})
export type Receipt = Static<typeof Receipt>

export const DryRun = Type.Object({
  dryRun: Type.Literal(true),
  tokens: Type.Integer(),
  atLeast,
})
export type DryRun = Static<typeof DryRun>

export const ReceiptPage = Type.Object({
  revocations: Type.Array(Receipt),
  cursor: Type.Optional(Type.String()),
})
export type ReceiptPage = Static<typeof ReceiptPage>

/** What the feed carries of a revocation. */
export const RevocationEvent = Type.Object({
  id: RevocationId,
  at: Milliseconds,
  selector: Selector,
  /** Covers tokens with `issued_us` up to and including this, in microseconds. */
  cutoffUs: Type.Integer(),
})
export type RevocationEvent = Static<typeof RevocationEvent>

/** What of a token a selector looks at. */
export interface SelectableToken {
  jti: string
  identity: string
  subject: string
  labels: readonly string[]
  parents: readonly string[]
  issuedUs: number
}

/** Whether a revocation covers a token. The registry's Lua scripts follow the same rule. */
export function coversToken(
  { selector, cutoffUs }: Pick<RevocationEvent, 'selector' | 'cutoffUs'>,
  token: SelectableToken,
): boolean {
  if (token.issuedUs > cutoffUs) {
    return false
  }
  if ('all' in selector) {
    return true
  }
  if ('jti' in selector) {
    return (
      selector.jti === token.jti ||
      (selector.cascade === true && token.parents.includes(selector.jti))
    )
  }
  if (selector.identity !== token.identity) {
    return false
  }
  if ('subject' in selector) {
    return selector.subject === token.subject
  }
  if ('label' in selector) {
    return token.labels.includes(selector.label)
  }
  return true
}
