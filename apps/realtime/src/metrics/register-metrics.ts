import type { Gate } from '@portcullis/gate'
import type { Instruments } from '@portcullis/service'
import type { Traffic } from '../connection/traffic.js'
import type { EventSender } from '../handlers/events/event-sender.js'
import type { HttpHandlers } from '../handlers/http-handlers.js'
import type { Hub } from '../hub/hub.js'
import type { Counts } from './counts.js'
import { families } from './families.js'

export interface MetricSources {
  hub: Hub
  counts: Counts
  traffic: Traffic
  handlers: HttpHandlers
  events: EventSender | undefined
  gate: Gate
  malformedMessages: () => number
  unauthenticated: () => number
  /** Number of open HTTP streams of each kind. */
  streams: () => Readonly<Record<string, number>>
}

/** Registers the node's metrics. */
export function registerMetrics(instruments: Instruments, sources: MetricSources): void {
  registerConnectionMetrics(instruments, sources)
  registerTrafficMetrics(instruments, sources)
  registerMessageMetrics(instruments, sources)
  registerBackendMetrics(instruments, sources)
  registerFeedMetrics(instruments, sources)
  registerAdmissionMetrics(instruments, sources)
}

function registerConnectionMetrics(
  instruments: Instruments,
  { hub, counts, unauthenticated, streams }: MetricSources,
): void {
  instruments.value(families.connections, () => hub.size)
  instruments.value(families.unauthenticated, unauthenticated)
  instruments.values(families.streams, () => Object.entries(streams()))
  instruments.value(families.subscriptions, () => hub.counts.subscriptions)
  instruments.value(families.channels, () => hub.counts.channels)
  instruments.values(families.disconnects, () => counts.disconnects)
}

function registerTrafficMetrics(instruments: Instruments, { traffic }: MetricSources): void {
  instruments.value(families.receivedBytes, () => traffic.receivedBytes)
  instruments.value(families.sentBytes, () => traffic.sentBytes)
  instruments.values(families.commands, () => Object.entries(traffic.commands))
}

function registerMessageMetrics(
  instruments: Instruments,
  { hub, counts, malformedMessages }: MetricSources,
): void {
  instruments.value(families.published, () => counts.published)
  instruments.value(families.received, () => counts.received)
  instruments.value(families.deliveries, () => hub.deliveries)
  instruments.durations(families.deliveryDuration, () => [[[], counts.timings.deliveries]])
  instruments.durations(families.redisDuration, () => [[[], counts.timings.redisCommands]])
  instruments.value(families.streamsLost, () => hub.lostStreams)
  instruments.value(families.busGarbage, malformedMessages)
}

function registerBackendMetrics(
  instruments: Instruments,
  { counts, handlers, events }: MetricSources,
): void {
  instruments.value(families.handlerCalls, () => handlers.callsInFlight)
  instruments.values(families.handlerCallsDone, () => Object.entries(handlers.counts))
  instruments.durations(families.handlerDuration, () => Object.entries(counts.timings.handlerCalls))
  if (events !== undefined) {
    instruments.value(families.eventsWaiting, () => events.waiting)
    instruments.values(families.events, () => Object.entries(events.counts))
  }
}

function registerFeedMetrics(instruments: Instruments, { gate }: MetricSources): void {
  const { lease, stats } = gate
  instruments.value(families.leaseLeft, () => lease.leftMs / 1000)
  instruments.value(families.leasesLost, () => stats.leasesLost)
  instruments.value(families.feedPosition, () => positionOf(stats.feedCursor))
  instruments.value(families.feedLag, () => stats.feedLagMs / 1000)
  instruments.value(families.feedReconnects, () => stats.feedReconnects)
  instruments.value(families.feedGarbage, () => stats.feedGarbage)
  instruments.value(families.resyncs, () => stats.resyncs)
}

function registerAdmissionMetrics(
  instruments: Instruments,
  { counts, gate: { stats } }: MetricSources,
): void {
  instruments.values(families.admissions, () => [
    ['admitted', stats.admitted] as const,
    ...Object.entries(stats.refused),
  ])
  const { admissions, introspections } = counts.timings
  instruments.durations(families.admissionDuration, () => [[[], admissions]])
  instruments.durations(families.introspectionDuration, () => [[[], introspections]])
  instruments.value(families.introspected, () => stats.introspected)
  instruments.values(families.grantsEnded, () => [
    ['revoked', stats.revoked] as const,
    ['expired', stats.expired] as const,
  ])
  instruments.value(families.heldCallers, () => stats.callersHeld)
  instruments.value(families.heldCallersAdmitted, () => stats.callersReused)
  instruments.values(families.limited, () => Object.entries(counts.limited))
}

/** A cursor has parts `<sequence>-<microsecond>`; a sequence grows by one with each revocation. */
function positionOf(cursor: string): number {
  return cursor.split(',').reduce((sum, part) => sum + Number(part.split('-')[0]), 0)
}
