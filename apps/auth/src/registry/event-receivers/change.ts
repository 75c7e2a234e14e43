import { script } from '@portcullis/redis'
import { receiverNotFound } from '../errors.js'
import type { Registry } from '../registry.js'
import { guard, run } from '../run.js'
import { type Receiver, receiverOf, type StoredReceiver, textOf } from './record.js'

const changeScript = script<0 | 1>(new URL('./change.lua', import.meta.url))

/**
 * Changes a receiver of security events. Its queue stays.
 *
 * @param change - returns the value to store; called again when the receiver was changed in between
 * @throws RegistryError `receiver_not_found`
 */
export async function changeEventReceiver(
  registry: Registry,
  id: string,
  change: (receiver: Receiver) => StoredReceiver,
): Promise<Receiver> {
  const { redis, keys } = registry
  for (;;) {
    const before = await guard(redis.hget(keys.eventReceivers, id))
    if (before === null) {
      throw receiverNotFound()
    }
    const after: Receiver = { ...change(receiverOf(id, before)), id }
    const text = textOf(after)
    if ((await run(registry, changeScript, [keys.eventReceivers], [id, before, text])) === 1) {
      return after
    }
  }
}
