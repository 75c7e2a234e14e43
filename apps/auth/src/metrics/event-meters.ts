import type { Instruments } from '@portcullis/service'
import type { EventMeters, EventQueues } from '../events/meters.js'
import { families } from './families.js'

const outcomes = ['delivered', 'refused', 'expired', 'dropped'] as const

/**
 * Registers the metrics of security events.
 *
 * @param countQueued - asks the registry; called once for each scrape
 */
export function openEventMeters(
  instruments: Instruments,
  countQueued: () => Promise<EventQueues>,
): EventMeters {
  const totals = { delivered: 0, refused: 0, expired: 0, dropped: 0 }
  const meters: EventMeters = {
    attemptsFailed: 0,
    lost: 0,
    settled(counts) {
      for (const outcome of outcomes) {
        totals[outcome] += counts[outcome] ?? 0
      }
    },
  }
  // Both gauges come from one answer: a scrape reads them in the order of their registration.
  let queues: Promise<EventQueues | undefined> = Promise.resolve(undefined)
  instruments.value(families.eventsPending, async () => {
    queues = countQueued().catch(() => undefined)
    return (await queues)?.pending ?? Number.NaN
  })
  instruments.value(families.eventOldest, async () => {
    const found = await queues
    if (found?.oldestAt === undefined) {
      return found === undefined ? Number.NaN : 0
    }
    return Math.max(0, Date.now() - found.oldestAt) / 1000
  })
  instruments.values(families.events, () => Object.entries(totals))
  instruments.value(families.eventAttemptsFailed, () => meters.attemptsFailed)
  instruments.value(families.eventsLost, () => meters.lost)
  return meters
}
