import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { type QueuedEvent, queuedEventOf } from './queued-event.js'

/** Returns the oldest events in a receiver's queue. They stay queued until they are settled. */
export async function takeEvents(
  { redis, keys }: Registry,
  id: string,
  limit: number,
): Promise<QueuedEvent[]> {
  if (limit === 0) {
    return []
  }
  const jtis = await guard(redis.zrange(keys.eventQueue(id), '0', String(limit - 1)))
  if (jtis.length === 0) {
    return []
  }
  const texts = await guard(redis.hmget(keys.queuedEvents(id), ...jtis))
  // An event that was settled in between is missing.
  return jtis.flatMap((jti, index) => {
    const text = texts[index]
    return typeof text === 'string' ? [queuedEventOf(jti, text)] : []
  })
}
