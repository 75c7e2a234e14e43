import type { Gate } from '@portcullis/gate'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { HttpHandlers } from '../handlers/http-handlers.js'
import type { Hub } from '../hub/hub.js'

/** What this node has counted since it started. */
export interface Counts {
  /** Publications that entered here. */
  published: number
  /** Publications that came from Redis. */
  received: number
  /** Closed connections by close code. */
  readonly disconnects: Map<number, number>
  /** What a limit has turned away. */
  readonly limited: {
    /** Commands that came too fast. */
    commands: number
    /** Requests to the server API that came too fast. */
    requests: number
    /** Upgrades and requests from where too many were refused. */
    refusals: number
  }
}

export function newCounts(): Counts {
  return {
    published: 0,
    received: 0,
    disconnects: new Map(),
    limited: { commands: 0, requests: 0, refusals: 0 },
  }
}

export interface Measured {
  hub: Hub
  counts: Counts
  handlers: HttpHandlers
  gate: Gate
  garbage: () => number
  unauthenticated: () => number
}

/** Makes the node's numbers readable at `/metrics`; they are read when asked for, and cost nothing else. */
export function measure(
  registry: Registry,
  { hub, counts, handlers, gate, garbage, unauthenticated }: Measured,
): void {
  const registers = [registry]
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  const counter = (name: string, help: string, value: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(value())
      },
    })
  const labelled = <Label extends string>(
    name: string,
    help: string,
    label: Label,
    values: () => Iterable<readonly [string | number, number]>,
  ) =>
    new Counter<Label>({
      name,
      help,
      registers,
      labelNames: [label],
      collect() {
        this.reset()
        for (const [key, value] of values()) {
          this.labels(String(key)).inc(value)
        }
      },
    })

  gauge('realtime_connections', 'open connections', () => hub.size)
  gauge('realtime_unauthenticated', 'open sockets that have not shown a token', unauthenticated)
  gauge('realtime_subscriptions', 'subscriptions', () => hub.counts.subscriptions)
  gauge('realtime_channels', 'channels with a subscriber', () => hub.counts.channels)
  counter('realtime_published_total', 'publications that entered here', () => counts.published)
  counter('realtime_received_total', 'publications that came from Redis', () => counts.received)
  counter('realtime_deliveries_total', 'frames given to subscribers', () => hub.deliveries)
  counter(
    'realtime_streams_lost_total',
    "times that a channel's subscribers had to subscribe anew, since history did not have what was missed",
    () => hub.lostPlaces,
  )
  counter('realtime_bus_garbage_total', 'messages from Redis that were none of ours', garbage)
  gauge(
    'realtime_handler_calls',
    "calls to the application's handlers under way",
    () => handlers.underWay,
  )
  labelled(
    'realtime_handler_calls_total',
    "calls to the application's handlers by result",
    'result',
    () => Object.entries(handlers.counts),
  )
  gauge('realtime_lease_left_seconds', 'what is left of the lease', () => gate.lease.leftMs / 1000)
  counter(
    'realtime_leases_lost_total',
    'times that every connection was held',
    () => gate.stats.leasesLost,
  )
  gauge('realtime_feed_position', 'revocations that the feed has told, of all partitions', () =>
    positionOf(gate.stats.feedCursor),
  )
  gauge(
    'realtime_feed_lag_seconds',
    'from the commit of the last revocation until it was applied, by the clocks of both machines',
    () => gate.stats.feedLagMs / 1000,
  )
  counter(
    'realtime_feed_reconnects_total',
    'times that the feed was connected again',
    () => gate.stats.feedReconnects,
  )
  counter(
    'realtime_feed_garbage_total',
    'messages of the feed that were none of its contract',
    () => gate.stats.feedGarbage,
  )
  counter(
    'realtime_resyncs_total',
    'times that every live token was introspected again',
    () => gate.stats.resyncs,
  )
  labelled('realtime_grants_ended_total', 'tokens that ended under a connection', 'reason', () => [
    ['revoked', gate.stats.revoked] as const,
    ['expired', gate.stats.expired] as const,
  ])
  labelled(
    'realtime_disconnects_total',
    'closed connections by close code',
    'code',
    () => counts.disconnects,
  )
  labelled('realtime_limited_total', 'what a limit has turned away', 'what', () =>
    Object.entries(counts.limited),
  )
  labelled('realtime_admissions_total', 'requests and upgrades by result', 'result', () => [
    ['admitted', gate.stats.admitted] as const,
    ...Object.entries(gate.stats.refused),
  ])
}

/** A cursor's parts are `<sequence>-<microsecond>`; a sequence rises by one with each revocation. */
function positionOf(cursor: string): number {
  return cursor.split(',').reduce((sum, part) => sum + Number(part.split('-')[0]), 0)
}
