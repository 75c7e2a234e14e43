import { receiverNotFound } from '../errors.js'
import type { Registry } from '../registry.js'
import { guard } from '../run.js'
import { type Receiver, receiverOf } from './record.js'

/**
 * Returns a receiver of security events.
 *
 * @throws RegistryError `receiver_not_found`
 */
export async function getEventReceiver({ redis, keys }: Registry, id: string): Promise<Receiver> {
  const text = await guard(redis.hget(keys.eventReceivers, id))
  if (text === null) {
    throw receiverNotFound()
  }
  return receiverOf(id, text)
}
