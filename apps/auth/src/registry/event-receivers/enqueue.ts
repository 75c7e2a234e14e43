import { script } from '@portcullis/redis'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { argumentsOf, missedNotice, type QueuedEvent } from './queued-event.js'

const queue = script<[queued: number, dropped: number] | null>(
  new URL('./enqueue.lua', import.meta.url),
)

export interface QueueOrder {
  events: readonly QueuedEvent[]
  /** The cursor before and after these events. */
  move?: { from: string; to: string }
  /** True when the events after `move.from` are unknown. */
  lost?: boolean
  /** The id of the last revocation of everything among the events. */
  lastAll?: string | undefined
}

/**
 * Adds events to a receiver's queue.
 *
 * @param maxQueued - above this number the oldest events are dropped, and a notice of that is
 * queued
 * @returns null when another instance has moved the cursor, or the receiver does not exist
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
