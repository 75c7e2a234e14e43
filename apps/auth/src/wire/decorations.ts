import type { AuditLog } from '../audit/audit-log.js'
import type { Callers } from '../callers/callers.js'
import type { Events } from '../events/context.js'
import type { Poller } from '../events/delivery/poller.js'
import type { FeedHub } from '../feed/hub.js'
import type { Inquiries } from '../feed/inquiries.js'
import type { OwnPart } from '../feed/own-part/own-part.js'
import type { FeedRegistry } from '../feed/registry.js'
import type { Meters } from '../meters.js'
import type {
  AuditRetention,
  AuditWatch,
  ReceiptWatch,
  Registry,
  WaitingConnections,
} from '../registry/index.js'

/** What `app.ts` hands to the routes. */
declare module 'fastify' {
  interface FastifyInstance {
    /** Not for what a caller asks to be written: that goes through `request.caller.act`. */
    registry: Registry
    callers: Callers
    /** This instance as a part of receipts. */
    ownPart: OwnPart
    receiptWatch: ReceiptWatch
    /** Connections to wait for replicas on. */
    waiting: WaitingConnections
    /** Replicas that a revocation waits for when its request does not say. */
    revocationReplicas: number
    feedHub: FeedHub
    feedRegistry: FeedRegistry
    /** Questions to the nodes. */
    inquiries: Inquiries
    meters: Meters
    /** Where the audit log is written, how much of it is kept, and who hears that it has grown. */
    auditLog: { log: AuditLog; retention: AuditRetention; watch: AuditWatch }
    /** Security events for other systems. */
    events: Events
    eventPoller: Poller
    /** Lifetime of tokens of an identity that has none of its own. */
    defaultTtlSeconds: number
  }
}
