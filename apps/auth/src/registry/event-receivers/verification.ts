import { defined } from '@portcullis/contracts/defined'
import { receiverNotFound } from '../errors.js'
import type { Registry } from '../registry.js'
import { enqueue } from './enqueue.js'
import { newJti, type QueuedEvent } from './queued-event.js'

/**
 * Queues a verification event for a receiver (SSF 1.0, Verification).
 *
 * @param state - returned in the event
 * @throws RegistryError `receiver_not_found`
 */
export async function queueVerification(
  registry: Registry,
  id: string,
  maxQueued: number,
  state: string | undefined,
): Promise<void> {
  const event: QueuedEvent = {
    jti: newJti(id),
    at: Date.now(),
    what: { kind: 'verification', ...defined({ state }) },
  }
  if ((await enqueue(registry, id, maxQueued, { events: [event] })) === null) {
    throw receiverNotFound()
  }
}
