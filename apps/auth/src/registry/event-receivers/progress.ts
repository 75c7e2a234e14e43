import type { EventProgress } from '@portcullis/contracts/event-receivers'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { takeEvents } from './take.js'

/** Returns the state of delivery to a receiver of security events. */
export async function eventProgress(registry: Registry, id: string): Promise<EventProgress> {
  const { redis, keys } = registry
  const [fields, pending, [oldest]] = await Promise.all([
    guard(redis.hgetall(keys.eventProgress(id))),
    guard(redis.zcard(keys.eventQueue(id))),
    takeEvents(registry, id, 1),
  ])
  const count = (name: string) => Number(fields[name] ?? 0)
  const { lastDeliveredAt, lastFailureAt, lastFailure } = fields
  return {
    pending,
    ...(oldest === undefined ? {} : { oldestAt: oldest.at }),
    delivered: count('delivered'),
    refused: count('refused'),
    expired: count('expired'),
    dropped: count('dropped'),
    lost: count('lost'),
    ...(lastDeliveredAt === undefined ? {} : { lastDeliveredAt: Number(lastDeliveredAt) }),
    ...(lastFailure === undefined
      ? {}
      : { lastFailure: { at: Number(lastFailureAt), error: lastFailure } }),
  }
}
