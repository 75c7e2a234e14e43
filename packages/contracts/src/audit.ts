import { type Static, Type } from '@sinclair/typebox'
import { GivenTime, IdentityName, Milliseconds, Subject, TokenId } from './names.js'

/**
 * Actions of the audit log, `noun.verb`. The log records each `act`, whatever its result, and a
 * `read` only when the caller was refused (401, 403, 429). `issue` is an act so frequent that its
 * entries are stored apart, so that they do not push out the others.
 */
export const auditActions = {
  'identity.register': 'act',
  'identity.change': 'act',
  'identity.suspend': 'act',
  'identity.resume': 'act',
  'identity.delete': 'act',
  'identity.read': 'read',
  'code.add': 'act',
  'code.remove': 'act',
  'token.issue': 'issue',
  'token.read': 'read',
  'token.introspect': 'read',
  'revocation.create': 'act',
  'revocation.read': 'read',
  'key.read': 'read',
  'key.rotate': 'act',
  'key.revoke': 'act',
  'receiver.add': 'act',
  'receiver.change': 'act',
  'receiver.delete': 'act',
  'receiver.verify': 'act',
  'receiver.poll': 'read',
  'receiver.read': 'read',
  'node.read': 'read',
  'node.join': 'act',
  'feed.open': 'read',
  'audit.read': 'read',
  'audit.export': 'act',
} as const satisfies Readonly<Record<string, 'act' | 'issue' | 'read'>>
export type AuditAction = keyof typeof auditActions

/** `ok`: done. `refused` (4xx): not done. `failed` (5xx): possibly done. */
export const AuditResult = Type.Union([
  Type.Literal('ok'),
  Type.Literal('refused'),
  Type.Literal('failed'),
])
export type AuditResult = Static<typeof AuditResult>

/** The caller. An entry has none when the request named no identity, or auth acted by itself. */
export const AuditActor = Type.Object({
  identity: IdentityName,
  /** Absent when the caller authenticated with the identity's own credentials. */
  subject: Type.Optional(Subject),
  /** The id of the caller's token; the token itself is never logged. */
  jti: Type.Optional(TokenId),
  /** The caller claimed the identity without proof: a wrong registration code, an expired token. */
  claimed: Type.Optional(Type.Literal(true)),
})
export type AuditActor = Static<typeof AuditActor>

/** The object of the action; only members that apply are present. */
export const AuditTarget = Type.Object({
  identity: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String()),
  label: Type.Optional(Type.String()),
  jti: Type.Optional(Type.String()),
  /** The id of a registration code. */
  code: Type.Optional(Type.String()),
  /** The id of a revocation, and of its receipt. */
  revocation: Type.Optional(Type.String()),
  /** The `kid` of a signing key. */
  key: Type.Optional(Type.String()),
  /** The id of a receiver of security events. */
  receiver: Type.Optional(Type.String()),
  /** A node's name. */
  node: Type.Optional(Type.String()),
})
export type AuditTarget = Static<typeof AuditTarget>

/** Details of the action; docs/audit.md lists the names. */
export const AuditDetail = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
)
export type AuditDetail = Static<typeof AuditDetail>

/**
 * One entry of the audit log. It never contains a token, a registration code or a body. Entries of
 * auth's own acts, at its start or on schedule, have no `status`, `actor`, `address` and `requestId`.
 */
export const AuditEntry = Type.Object({
  /** The entry's position in the log, and a cursor: pass it as `after` to continue after it. */
  id: Type.String(),
  /** On Redis' clock. */
  at: Milliseconds,
  action: Type.String(),
  result: AuditResult,
  /** HTTP status of the response. */
  status: Type.Optional(Type.Integer()),
  /** Stable code of the error. */
  error: Type.Optional(Type.String()),
  actor: Type.Optional(AuditActor),
  target: Type.Optional(AuditTarget),
  detail: Type.Optional(AuditDetail),
  /** The client's address, as `TRUST_PROXY` determines it. */
  address: Type.Optional(Type.String()),
  /** The same id as in the service's log and in a problem's `instance`. */
  requestId: Type.Optional(Type.String()),
  /**
   * The number of refused attempts by unauthenticated callers in the minute before `at` that this
   * entry summarises; the first of them has an earlier entry of its own. Absent: one request.
   */
  count: Type.Optional(Type.Integer({ minimum: 1 })),
})
export type AuditEntry = Static<typeof AuditEntry>

const AuditCursor = Type.String({
  pattern: '^[0-9]{1,16}\\.[0-9]{1,5}$',
  description: "an entry's id, or a cursor",
})

const filters = {
  /** The identity that acted, or was claimed to act. */
  actor: Type.Optional(IdentityName),
  /** An action (`identity.suspend`), or a noun for all of its actions (`identity`). */
  action: Type.Optional(
    Type.String({
      pattern: '^[a-z_]{1,32}(\\.[a-z_]{1,32})?$',
      description: 'an action (identity.suspend), or a noun (identity)',
    }),
  ),
  result: Type.Optional(AuditResult),
  /** The identity that was acted on. */
  identity: Type.Optional(IdentityName),
  /** Inclusive. */
  from: Type.Optional(GivenTime),
  /** Exclusive. */
  to: Type.Optional(GivenTime),
}

/** Filters of `GET /v1/audit` and `GET /v1/audit/export`; an entry must match all of them. */
export const AuditFilter = Type.Object(filters, { additionalProperties: false })
export type AuditFilter = Static<typeof AuditFilter>

/**
 * `GET /v1/audit`: newest first, continuing at `cursor`. With `after`, to follow the log: oldest
 * first, the entries after that position; `after=0.0` is the beginning. A page may be short, even
 * empty, and still have a cursor.
 */
export const ListAudit = Type.Object(
  {
    ...filters,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    /** The previous page's `cursor`. */
    cursor: Type.Optional(AuditCursor),
    /** The previous page's `cursor`, or an entry's `id`. Not with `cursor`. */
    after: Type.Optional(AuditCursor),
    /** Only with `after`: milliseconds to wait for the next entry. */
    wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
  },
  { additionalProperties: false },
)
export type ListAudit = Static<typeof ListAudit>

export const AuditPage = Type.Object({
  entries: Type.Array(AuditEntry),
  /** Newest first: absent on the last page. With `after`: always present; pass it as `after`. */
  cursor: Type.Optional(Type.String()),
})
export type AuditPage = Static<typeof AuditPage>

/**
 * `GET /v1/audit/export`: the entries that exist when the export begins, oldest first, one
 * `AuditEntry` in JSON on each line. Resume an interrupted export with `after=<id of its last
 * line>`.
 */
export const ExportAudit = Type.Object(
  { ...filters, after: Type.Optional(AuditCursor) },
  { additionalProperties: false },
)
export type ExportAudit = Static<typeof ExportAudit>
