import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { type Receiver, receiverOf } from './record.js'

/** Returns all receivers of security events in the order in which they were added. */
export async function listEventReceivers({ redis, keys }: Registry): Promise<Receiver[]> {
  const stored = await guard(redis.hgetall(keys.eventReceivers))
  return Object.entries(stored)
    .map(([id, text]) => receiverOf(id, text))
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
}
