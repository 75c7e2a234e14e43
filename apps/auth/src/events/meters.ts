import { Counter, Gauge, type Registry } from 'prom-client'
import type { Settled } from '../registry/index.js'

export type EventMeters = ReturnType<typeof eventMeters>

export interface EventQueues {
  /** Events queued for all receivers. */
  pending: number
  /** When the longest queued of them was queued, in Unix milliseconds. */
  oldestAt: number | undefined
}

/** Counts of security events. `queues` asks the registry, once for each scrape. */
export function eventMeters(register: Registry, queues: () => Promise<EventQueues>) {
  const registers = [register]
  const oldest = new Gauge({
    name: 'portcullis_security_event_oldest_seconds',
    help: 'For how long the longest queued security event has waited for its receiver; 0 when none waits',
    registers,
  })
  new Gauge({
    name: 'portcullis_security_events_pending',
    help: 'Security events queued for all receivers; the same at every instance, NaN when Redis does not say',
    registers,
    async collect() {
      const found = await queues().catch(() => undefined)
      this.set(found?.pending ?? Number.NaN)
      const { oldestAt } = found ?? {}
      const waited = oldestAt === undefined ? 0 : Math.max(0, Date.now() - oldestAt) / 1000
      oldest.set(found === undefined ? Number.NaN : waited)
    },
  })
  const settled = new Counter({
    name: 'portcullis_security_events_total',
    help: 'Security events that wait no more: delivered, refused by the receiver, expired after too many attempts, or dropped from a queue that was full',
    labelNames: ['outcome'] as const,
    registers,
  })
  const outcomes = ['delivered', 'refused', 'expired', 'dropped'] as const
  // From the start: an alert on a counter that appears with its first 1 never sees it rise.
  for (const outcome of outcomes) {
    settled.inc({ outcome }, 0)
  }
  return {
    /** Events that this instance has settled. */
    settled(counts: Partial<Settled & { dropped: number }>) {
      for (const outcome of outcomes) {
        settled.inc({ outcome }, counts[outcome] ?? 0)
      }
    },
    attemptsFailed: new Counter({
      name: 'portcullis_security_event_attempts_failed_total',
      help: 'Attempts to push a security event that failed and are made again',
      registers,
    }),
    lost: new Counter({
      name: 'portcullis_security_events_lost_total',
      help: 'How often a receiver has missed an unknown number of events, because the feed was trimmed or went backwards',
      registers,
    }),
  }
}
