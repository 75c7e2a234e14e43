import type { Durations } from '@portcullis/service'
import type { FastifyInstance } from 'fastify'
import type { AuditLog } from '../audit/audit-log.js'
import type { Callers } from '../callers/callers.js'
import type { Config } from '../config.js'
import type { Events } from '../events/context.js'
import type { Poller } from '../events/delivery/poller.js'
import type { FeedHub } from '../feed/hub.js'
import type { Inquiries } from '../feed/inquiries.js'
import type { OwnPart } from '../feed/own-part/own-part.js'
import type { FeedRegistry } from '../feed/registry.js'
import { type Meters, openMeters } from '../metrics/meters.js'
import {
  type AuditRetention,
  type AuditWatch,
  countPending,
  type ReceiptWatch,
  type Registry,
  type WaitingConnections,
} from '../registry/index.js'

/** Properties of the app that routes use. */
declare module 'fastify' {
  interface FastifyInstance {
    /** For reads, and for writes of auth itself. Writes for a caller go through `request.caller.act`. */
    registry: Registry
    callers: Callers
    /** This instance as a part of receipts. */
    ownPart: OwnPart
    receiptWatch: ReceiptWatch
    /** Connections that wait for replicas. */
    waiting: WaitingConnections
    /** Replicas that a revocation waits for when its request does not say how many. */
    revocationReplicas: number
    feedHub: FeedHub
    feedRegistry: FeedRegistry
    /** Questions to the nodes. */
    inquiries: Inquiries
    meters: Meters
    /** The audit log, how long it is kept, and a watch that reports new entries. */
    auditLog: { log: AuditLog; retention: AuditRetention; watch: AuditWatch }
    /** Security events for other systems. */
    events: Events
    eventPoller: Poller
    /** Lifetime of tokens of an identity that sets none. */
    defaultTtlSeconds: number
  }
}

type Decorations = Pick<
  FastifyInstance,
  'registry' | 'ownPart' | 'receiptWatch' | 'waiting' | 'feedHub' | 'feedRegistry' | 'inquiries'
> & { redisCommands: Durations }

/** Puts the open parts on the app. */
export function decorate(app: FastifyInstance, parts: Decorations, config: Config): void {
  const { registry, feedHub } = parts
  app.decorate('registry', registry)
  app.decorate('ownPart', parts.ownPart)
  app.decorate('receiptWatch', parts.receiptWatch)
  app.decorate('waiting', parts.waiting)
  app.decorate('feedHub', feedHub)
  app.decorate('feedRegistry', parts.feedRegistry)
  app.decorate('inquiries', parts.inquiries)
  app.decorate('revocationReplicas', config.REVOCATION_REPLICAS)
  app.decorate('defaultTtlSeconds', config.TOKEN_TTL_SECONDS)
  app.decorate(
    'meters',
    openMeters(app.metrics, {
      feed: () => feedHub,
      countPending: () => countPending(registry),
      redisCommands: parts.redisCommands,
    }),
  )
}
