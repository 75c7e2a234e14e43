import { eventProgress, listEventReceivers, type Registry } from '../registry/index.js'
import type { EventQueues } from './meters.js'

/** Counts the events that wait for all receivers together. */
export async function countQueued(registry: Registry): Promise<EventQueues> {
  const receivers = await listEventReceivers(registry)
  const found = await Promise.all(receivers.map(({ id }) => eventProgress(registry, id)))
  const times = found.flatMap(({ oldestAt }) => (oldestAt === undefined ? [] : [oldestAt]))
  return {
    pending: found.reduce((sum, { pending }) => sum + pending, 0),
    oldestAt: times.length === 0 ? undefined : Math.min(...times),
  }
}
