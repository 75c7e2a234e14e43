import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { argumentsOf, missedNotice } from './queued-event.js'

const settle = script<[delivered: number, refused: number, expired: number]>(
  new URL('./settle.lua', import.meta.url),
)

/** The outcome of an event. Each outcome removes the event from the queue. */
export type Outcome = 'delivered' | 'refused' | 'expired'

/** How many events were settled with each outcome. */
export type Settled = Record<Outcome, number>

/**
 * Records the outcomes of a receiver's events, by `jti`.
 *
 * @param failure - the error of an event that was not accepted, also one that stays queued; for
 * display
 * @returns how many of the events this call has removed from the queue
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
