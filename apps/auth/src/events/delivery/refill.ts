import { queueEvents, type Receiver } from '../../registry/index.js'
import type { Events } from '../context.js'

/** Queues for a receiver what the feed has brought, and says what could not be kept. */
export async function refill(
  { registry, settings, meters, onLost }: Events,
  receiver: Receiver,
): Promise<void> {
  const { dropped, lost } = await queueEvents(registry, receiver, settings.maxQueued)
  meters.settled({ dropped })
  if (!lost) {
    return
  }
  meters.lost.inc()
  onLost(receiver)
}
