import { Counter, Gauge, type Registry } from 'prom-client'
import type { Settled } from '../registry/index.js'

export type EventMeters = ReturnType<typeof eventMeters>

export interface EventQueues {
  /** Events queued for all receivers. */
  pending: number
  /** When the oldest of them was queued, in Unix milliseconds. */
  oldestAt: number | undefined
}

/**
 * Registers the metrics of security events.
 *
 * @param countQueued - asks the registry; called once for each scrape
 */
export function eventMeters(register: Registry, countQueued: () => Promise<EventQueues>) {
  const registers = [register]
  const oldest = new Gauge({
    name: 'portcullis_security_event_oldest_seconds',
    help: 'How long the oldest queued security event has waited for its receiver; 0 when the queues are empty',
    aggregator: 'max',
    registers,
  })
  new Gauge({
    name: 'portcullis_security_events_pending',
    help: 'Security events queued for all receivers; the same at every instance, NaN when Redis does not answer',
    aggregator: 'max',
    registers,
    async collect() {
      const found = await countQueued().catch(() => undefined)
      this.set(found?.pending ?? Number.NaN)
      const { oldestAt } = found ?? {}
      const waited = oldestAt === undefined ? 0 : Math.max(0, Date.now() - oldestAt) / 1000
      oldest.set(found === undefined ? Number.NaN : waited)
    },
  })
  const settled = new Counter({
    name: 'portcullis_security_events_total',
    help: 'Security events that left their queue: delivered, refused by the receiver, expired after too many attempts, or dropped because the queue was full',
    labelNames: ['outcome'] as const,
    registers,
  })
  const outcomes = ['delivered', 'refused', 'expired', 'dropped'] as const
  // An alert on a counter that appears with its first increment would miss that increment.
  for (const outcome of outcomes) {
    settled.inc({ outcome }, 0)
  }
  return {
    /** Counts events that this instance has settled. */
    settled(counts: Partial<Settled & { dropped: number }>) {
      for (const outcome of outcomes) {
        settled.inc({ outcome }, counts[outcome] ?? 0)
      }
    },
    attemptsFailed: new Counter({
      name: 'portcullis_security_event_attempts_failed_total',
      help: 'Failed attempts to push a security event that are retried',
      registers,
    }),
    lost: new Counter({
      name: 'portcullis_security_events_lost_total',
      help: 'Times that a receiver missed an unknown number of events because the feed was trimmed or went backwards',
      registers,
    }),
  }
}
