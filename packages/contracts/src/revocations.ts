import { type Static, Type } from '@sinclair/typebox'
import {
  GivenTime,
  IdentityName,
  Label,
  Milliseconds,
  Subject,
  TokenId,
  TokenText,
} from './names.js'

/** Number of Redis replicas that a revocation waits for. */
export const ReplicaCount = Type.Integer({ minimum: 0, maximum: 16 })

/** Why something is revoked, in free text. */
export const Reason = Type.String({ maxLength: 256 })

/** Milliseconds to wait for a receipt to be complete. */
export const ReceiptWait = Type.Integer({ minimum: 0, maximum: 60_000 })

const closed = { additionalProperties: false }

/** Also covers every token that the selected one has issued, at any depth. */
const cascade = Type.Optional(Type.Literal(true))

/**
 * `POST /v1/revocations`: exactly one selector, which is `token` or `jti`, `identity`, `identity` and
 * `subject`, `identity` and `label`, or `all`. The schema lists the members side by side instead of
 * a union, so that auth can tell what is wrong with a selector.
 */
export const Revoke = Type.Object(
  {
    /** A token or its id. */
    token: Type.Optional(TokenText),
    /** The id of a token: the same as `token`. */
    jti: Type.Optional(TokenId),
    cascade,
    identity: Type.Optional(IdentityName),
    subject: Type.Optional(Subject),
    label: Type.Optional(Label),
    all: Type.Optional(Type.Literal(true)),
    /** Only tokens issued before this moment, in Unix milliseconds; not in the future. */
    issuedBefore: Type.Optional(GivenTime),
    reason: Type.Optional(Reason),
    /** Only count the tokens that would be revoked. */
    dryRun: Type.Optional(Type.Boolean()),
    wait: Type.Optional(ReceiptWait),
    /** Default: the installation's `REVOCATION_REPLICAS`. */
    replicas: Type.Optional(ReplicaCount),
  },
  closed,
)
export type Revoke = Static<typeof Revoke>

/** The tokens that a revocation covers, as the registry stores it and the feed sends it. */
export const Selector = Type.Union([
  Type.Object({ jti: TokenId, cascade }, closed),
  Type.Object({ identity: IdentityName }, closed),
  Type.Object({ identity: IdentityName, subject: Subject }, closed),
  Type.Object({ identity: IdentityName, label: Label }, closed),
  Type.Object({ all: Type.Literal(true) }, closed),
])
export type Selector = Static<typeof Selector>

export const RevocationId = Type.String({
  pattern: '^(?:[0-9]{1,5}|all)-[A-Za-z0-9_-]{22}$',
  description: 'a revocation id',
})

/** `fenced`: the node's lease ran out, so it delivers nothing. `pending`: not acknowledged yet. */
export const NodeState = Type.Union([
  Type.Literal('acked'),
  Type.Literal('fenced'),
  Type.Literal('pending'),
])

export const NodeReceipt = Type.Object({
  node: Type.String(),
  state: NodeState,
  connectionsClosed: Type.Integer(),
  /** Milliseconds from commit to acknowledgement, on the registry's clock; absent while pending. */
  ms: Type.Optional(Type.Number()),
})
export type NodeReceipt = Static<typeof NodeReceipt>

/**
 * An auth instance's part of a receipt: it ends requests to its own routes, and acknowledges as
 * nodes do.
 */
export const AuthReceipt = Type.Object({
  /** Host name and process id of the instance. */
  auth: Type.String(),
  state: NodeState,
  /** Milliseconds from commit to acknowledgement, on the registry's clock; absent while pending. */
  ms: Type.Optional(Type.Number()),
})
export type AuthReceipt = Static<typeof AuthReceipt>

/** True: `tokens` is a lower bound, because counting every token would have taken too long. */
const atLeast = Type.Optional(Type.Literal(true))

export const Receipt = Type.Object({
  id: RevocationId,
  at: Milliseconds,
  /** Live tokens that the revocation covers. */
  tokens: Type.Integer(),
  atLeast,
  /**
   * True: covered tokens no longer have any effect or receive anything, at every node and auth
   * instance.
   */
  complete: Type.Boolean(),
  nodes: Type.Array(NodeReceipt),
  auths: Type.Array(AuthReceipt),
  selector: Selector,
  reason: Type.Optional(Type.String()),
  /** Redis replicas that had the revocation when the wait ended; absent if none was asked for. */
  replicas: Type.Optional(Type.Integer()),
  /** Redis replicas to wait for. With fewer, a failover could lose the revocation. */
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

/** A revocation on the feed. */
export const RevocationEvent = Type.Object({
  id: RevocationId,
  at: Milliseconds,
  selector: Selector,
  /** Covers tokens with `issued_us` up to and including this, in microseconds. */
  cutoffUs: Type.Integer(),
})
export type RevocationEvent = Static<typeof RevocationEvent>

/** The properties of a token that selectors compare. */
export interface SelectableToken {
  jti: string
  identity: string
  subject: string
  labels: readonly string[]
  parents: readonly string[]
  issuedUs: number
}

/**
 * Returns true if a revocation covers a token. The registry's Lua scripts implement the same rule.
 */
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
