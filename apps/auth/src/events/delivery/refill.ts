import { queueEvents, type Receiver } from '../../registry/index.js'
import type { Events } from '../context.js'

/** Queues new events of the feed for a receiver; counts and reports those that cannot be kept. */
export async function refill(
  { registry, settings, meters, onLost }: Events,
  receiver: Receiver,
): Promise<void> {
  const { dropped, lost } = await queueEvents(registry, receiver, settings.maxQueued)
  meters.settled({ dropped })
  if (lost) {
    meters.lost += 1
    onLost(receiver)
  }
}
