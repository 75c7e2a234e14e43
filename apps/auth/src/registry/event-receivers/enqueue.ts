import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { argumentsOf, missedNotice, type QueuedEvent } from './queued-event.js'

const queue = script<[queued: number, dropped: number] | null>(
  new URL('./enqueue.lua', import.meta.url),
)

export interface QueueOrder {
  events: readonly QueuedEvent[]
  /** How far the feed was read for these events. */
  move?: { from: string; to: string }
  /** It is not known what followed `move.from`. */
  lost?: boolean
  /** The last revocation of everything among the events. */
  lastAll?: string | undefined
}

/**
 * Puts events into a receiver's queue.
 *
 * @param maxQueued - when more are queued the oldest are dropped, and a notice of it is queued
 * @returns null when someone else has moved the cursor, or there is no such receiver
 */
export function enqueue(
  registry: Registry,
  id: string,
  maxQueued: number,
  { events, move = { from: '', to: '' }, lost = false, lastAll = '' }: QueueOrder,
): Promise<[queued: number, dropped: number] | null> {
  const { keys } = registry
  return run(
    registry,
    queue,
    [keys.eventReceivers, keys.eventProgress(id), keys.eventQueue(id), keys.queuedEvents(id)],
    [
      id,
      move.from,
      move.to,
      maxQueued,
      lost ? 'lost' : '',
      ...argumentsOf(missedNotice(id)),
      lastAll,
      ...events.flatMap(argumentsOf),
    ],
  )
}
