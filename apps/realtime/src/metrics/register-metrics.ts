import type { Gate } from '@portcullis/gate'
import type { Registry } from 'prom-client'
import type { EventSender } from '../handlers/events/event-sender.js'
import type { HttpHandlers } from '../handlers/http-handlers.js'
import type { Hub } from '../hub/hub.js'
import type { Counts } from './counts.js'
import { type Instruments, instrumentsOf } from './instruments.js'

export interface MetricSources {
  hub: Hub
  counts: Counts
  handlers: HttpHandlers
  events: EventSender | undefined
  gate: Gate
  malformedMessages: () => number
  unauthenticated: () => number
  /** Number of open HTTP streams of each kind. */
  streams: () => Readonly<Record<string, number>>
}

/**
 * Registers the node's metrics. Their values are read at each scrape and cost nothing in between.
 */
export function registerMetrics(registry: Registry, sources: MetricSources): void {
  const instruments = instrumentsOf(registry)
  registerConnectionMetrics(instruments, sources)
  registerMessageMetrics(instruments, sources)
  registerHandlerMetrics(instruments, sources)
  registerEventMetrics(instruments, sources)
  registerFeedMetrics(instruments, sources)
  registerAdmissionMetrics(instruments, sources)
}

function registerConnectionMetrics(
  { gauge, gauges, labelled }: Instruments,
  { hub, counts, unauthenticated, streams }: MetricSources,
): void {
  gauge('realtime_connections', 'open connections', () => hub.size)
  gauge(
    'realtime_unauthenticated',
    'open sockets that have not presented a token yet',
    unauthenticated,
  )
  gauges('realtime_streams', 'open HTTP streams by transport', 'transport', () =>
    Object.entries(streams()),
  )
  gauge('realtime_subscriptions', 'subscriptions', () => hub.counts.subscriptions)
  gauge('realtime_channels', 'channels with a subscriber', () => hub.counts.channels)
  labelled(
    'realtime_disconnects_total',
    'closed connections by close code',
    'code',
    () => counts.disconnects,
  )
}

function registerMessageMetrics(
  { counter }: Instruments,
  { hub, counts, malformedMessages }: MetricSources,
): void {
  counter(
    'realtime_published_total',
    'publications that entered on this node',
    () => counts.published,
  )
  counter('realtime_received_total', 'publications received from Redis', () => counts.received)
  counter('realtime_deliveries_total', 'frames sent to subscribers', () => hub.deliveries)
  counter(
    'realtime_streams_lost_total',
    'times that the subscribers of a channel had to subscribe again because history lacked missed publications',
    () => hub.lostStreams,
  )
  counter('realtime_bus_garbage_total', 'malformed messages from Redis', malformedMessages)
}

function registerHandlerMetrics(
  { gauge, labelled }: Instruments,
  { handlers }: MetricSources,
): void {
  gauge(
    'realtime_handler_calls',
    "calls to the application's handlers in flight",
    () => handlers.callsInFlight,
  )
  labelled(
    'realtime_handler_calls_total',
    "calls to the application's handlers by result",
    'result',
    () => Object.entries(handlers.counts),
  )
}

function registerEventMetrics({ gauge, labelled }: Instruments, { events }: MetricSources): void {
  if (events === undefined) {
    return
  }
  gauge(
    'realtime_events_waiting',
    "events that wait for the application's backend",
    () => events.waiting,
  )
  labelled(
    'realtime_events_total',
    "events sent to the application's backend, and events lost because too many waited",
    'result',
    () => Object.entries(events.counts),
  )
}

function registerFeedMetrics({ gauge, counter }: Instruments, { gate }: MetricSources): void {
  gauge(
    'realtime_lease_left_seconds',
    'remaining time of the lease',
    () => gate.lease.leftMs / 1000,
    'min',
  )
  counter(
    'realtime_leases_lost_total',
    'times that the lease was lost and every connection held',
    () => gate.stats.leasesLost,
  )
  gauge(
    'realtime_feed_position',
    'revocations received from the feed, over all partitions',
    () => positionOf(gate.stats.feedCursor),
    'min',
  )
  gauge(
    'realtime_feed_lag_seconds',
    'time from the commit of the last revocation to its application, by the clocks of both machines',
    () => gate.stats.feedLagMs / 1000,
    'max',
  )
  counter(
    'realtime_feed_reconnects_total',
    'reconnects of the feed',
    () => gate.stats.feedReconnects,
  )
  counter('realtime_feed_garbage_total', 'malformed feed messages', () => gate.stats.feedGarbage)
  counter(
    'realtime_resyncs_total',
    'times that every live token was introspected again',
    () => gate.stats.resyncs,
  )
}

function registerAdmissionMetrics(
  { gauge, counter, labelled }: Instruments,
  { counts, gate }: MetricSources,
): void {
  labelled('realtime_grants_ended_total', 'tokens that ended during use', 'reason', () => [
    ['revoked', gate.stats.revoked] as const,
    ['expired', gate.stats.expired] as const,
  ])
  gauge(
    'realtime_held_callers',
    'callers of the server API whose tokens are not introspected at each request',
    () => gate.stats.callersHeld,
  )
  counter(
    'realtime_held_callers_admitted_total',
    'requests admitted without an introspection of their token',
    () => gate.stats.callersReused,
  )
  labelled('realtime_limited_total', 'commands and requests that a limit refused', 'what', () =>
    Object.entries(counts.limited),
  )
  labelled('realtime_admissions_total', 'requests and upgrades by result', 'result', () => [
    ['admitted', gate.stats.admitted] as const,
    ...Object.entries(gate.stats.refused),
  ])
}

/** A cursor has parts `<sequence>-<microsecond>`; a sequence grows by one with each revocation. */
function positionOf(cursor: string): number {
  return cursor.split(',').reduce((sum, part) => sum + Number(part.split('-')[0]), 0)
}
