import { script } from '@portcullis/redis'
import { receiverNotFound } from '../errors.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'

const remove = script<0 | 1>(new URL('./delete.lua', import.meta.url))

/**
 * Deletes a receiver of security events and its queue.
 *
 * @throws RegistryError `receiver_not_found`
 */
export async function deleteEventReceiver(registry: Registry, id: string): Promise<void> {
  const { keys } = registry
  const deleted = await run(
    registry,
    remove,
    [
      keys.eventReceivers,
      keys.eventProgress(id),
      keys.eventQueue(id),
      keys.queuedEvents(id),
      keys.eventPusher(id),
    ],
    [id],
  )
  if (deleted === 0) {
    throw receiverNotFound()
  }
}
