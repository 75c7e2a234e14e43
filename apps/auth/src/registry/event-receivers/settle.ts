import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { argumentsOf, missedNotice } from './queued-event.js'

const settle = script<[delivered: number, refused: number, expired: number]>(
  new URL('./settle.lua', import.meta.url),
)

/** What became of an event. After each of these it leaves the queue. */
export type Outcome = 'delivered' | 'refused' | 'expired'

/** How many events were settled, and how. */
export type Settled = Record<Outcome, number>

/**
 * Records what became of a receiver's events, by `jti`.
 *
 * @param failure - why one was not taken, also one that stays queued; for people to see
 * @returns what was settled by this call alone, of those that were still queued
 */
export async function settleEvents(
  registry: Registry,
  id: string,
  outcomes: ReadonlyMap<string, Outcome>,
  failure = '',
): Promise<Settled> {
  const { keys } = registry
  if (outcomes.size === 0 && failure === '') {
    return { delivered: 0, refused: 0, expired: 0 }
  }
  const [delivered, refused, expired] = await run(
    registry,
    settle,
    [keys.eventReceivers, keys.eventProgress(id), keys.eventQueue(id), keys.queuedEvents(id)],
    [id, Date.now(), failure, ...argumentsOf(missedNotice(id)), ...[...outcomes].flat()],
  )
  return { delivered, refused, expired }
}
