import { type Static, Type } from '@sinclair/typebox'
import { IdentityName, Milliseconds, Subject, TokenId } from './names.js'

/**
 * What the audit log says was done, or tried: `noun.verb`. An `act` changes something: it is on
 * record whatever comes of it. A `read` changes nothing: it is on record when the caller was refused
 * (401, 403, 429). `issue` is an act that happens so often that its entries are kept apart, lest they
 * push out the others.
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

/** `ok`: it was done. `refused` (4xx): it was not. `failed` (5xx): it may have been done or not. */
export const AuditResult = Type.Union([
  Type.Literal('ok'),
  Type.Literal('refused'),
  Type.Literal('failed'),
])
export type AuditResult = Static<typeof AuditResult>

/** Who. Absent in an entry when the request showed nothing that names anyone, or there was none. */
export const AuditActor = Type.Object({
  identity: IdentityName,
  /** Absent when the identity showed its own credentials. */
  subject: Type.Optional(Subject),
  /** The token that it showed; the token itself is nowhere. */
  jti: Type.Optional(TokenId),
  /** It said so and did not prove it: a wrong registration code, a token that is no longer valid. */
  claimed: Type.Optional(Type.Literal(true)),
})
export type AuditActor = Static<typeof AuditActor>

/** What it was done to: whichever of these there are. */
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

/** More of what was done, by action; docs/audit.md has the names. */
export const AuditDetail = Type.Record(
  Type.String(),
  Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
)
export type AuditDetail = Static<typeof AuditDetail>

/**
 * One entry of the audit log. Never a token, a registration code or a body. What auth does by itself,
 * at its start or on schedule, has no `status`, `actor`, `address` and `requestId`.
 */
export const AuditEntry = Type.Object({
  /** Its place in the log, and a cursor: pass it as `after` to read on from here. */
  id: Type.String(),
  /** By Redis' clock. */
  at: Milliseconds,
  action: Type.String(),
  result: AuditResult,
  /** HTTP status of the answer. */
  status: Type.Optional(Type.Integer()),
  /** Stable code of the error, when there was one. */
  error: Type.Optional(Type.String()),
  actor: Type.Optional(AuditActor),
  target: Type.Optional(AuditTarget),
  detail: Type.Optional(AuditDetail),
  /** Where it came from, as TRUST_PROXY has it. */
  address: Type.Optional(Type.String()),
  /** The same as in the service's log and in a problem's `instance`. */
  requestId: Type.Optional(Type.String()),
  /**
   * The entry stands for so many refused attempts in the minute before `at`, by callers that had proven
   * nothing; the first of them has an entry of its own before that. Absent: it stands for one request.
   */
  count: Type.Optional(Type.Integer({ minimum: 1 })),
})
export type AuditEntry = Static<typeof AuditEntry>

const AuditCursor = Type.String({ pattern: '^[0-9]{1,16}\\.[0-9]{1,5}$' })

const filters = {
  /** The identity that did it, or claimed to be the one. */
  actor: Type.Optional(IdentityName),
  /** An action (`identity.suspend`), or a noun for all of its actions (`identity`). */
  action: Type.Optional(Type.String({ pattern: '^[a-z_]{1,32}(\\.[a-z_]{1,32})?$' })),
  result: Type.Optional(AuditResult),
  /** The identity that it was done to. */
  identity: Type.Optional(IdentityName),
  /** The first moment, inclusive. */
  from: Type.Optional(Milliseconds),
  /** The last moment, exclusive. */
  to: Type.Optional(Milliseconds),
}

/** Filters of `GET /v1/audit` and `GET /v1/audit/export`; an entry has to meet all that are given. */
export const AuditFilter = Type.Object(filters, { additionalProperties: false })
export type AuditFilter = Static<typeof AuditFilter>

/**
 * `GET /v1/audit`: newest first, on from `cursor`; or with `after` oldest first, from behind that
 * place, to follow the log: `after=0.0` is its beginning. A page may be short, even empty, and still have
 * a cursor.
 */
export const ListAudit = Type.Object(
  {
    ...filters,
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    /** The previous page's. */
    cursor: Type.Optional(AuditCursor),
    /** The previous page's `cursor`, or an entry's `id`. Not with `cursor`. */
    after: Type.Optional(AuditCursor),
    /** With `after`: milliseconds to wait for an entry when there is none yet. */
    wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 })),
  },
  { additionalProperties: false },
)
export type ListAudit = Static<typeof ListAudit>

export const AuditPage = Type.Object({
  entries: Type.Array(AuditEntry),
  /** Newest first: absent on the last page. With `after`: always there, pass it as `after`. */
  cursor: Type.Optional(Type.String()),
})
export type AuditPage = Static<typeof AuditPage>

/**
 * `GET /v1/audit/export`: the entries that there are at this moment, oldest first, one `AuditEntry` in
 * JSON on each line. One that was broken off goes on with `after=<id of its last line>`.
 */
export const ExportAudit = Type.Object(
  { ...filters, after: Type.Optional(AuditCursor) },
  { additionalProperties: false },
)
export type ExportAudit = Static<typeof ExportAudit>
