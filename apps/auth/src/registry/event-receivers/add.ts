import { script } from '@portcullis/redis'
import { RegistryError } from '../errors.js'
import { feedEnd } from '../feed/end.js'
import { newName } from '../ids.js'
import type { Registry } from '../registry.js'
import { run } from '../run.js'
import { type Receiver, type StoredReceiver, textOf } from './record.js'

const add = script<0 | 1>(new URL('./add.lua', import.meta.url))

/** Each receiver reads the feed separately. */
const maxReceivers = 32

/**
 * Adds a receiver of security events. It gets every revocation that is committed from now on.
 *
 * @throws RegistryError `too_many_receivers`
 */
export async function addEventReceiver(
  registry: Registry,
  stored: Omit<StoredReceiver, 'createdAt' | 'status'>,
): Promise<Receiver> {
  const { keys } = registry
  const receiver: Receiver = {
    id: newName(16),
    status: 'enabled',
    createdAt: Date.now(),
    ...stored,
  }
  const { id } = receiver
  const added = await run(
    registry,
    add,
    [keys.eventReceivers, keys.eventProgress(id)],
    [id, textOf(receiver), await feedEnd(registry), maxReceivers],
  )
  if (added === 0) {
    throw new RegistryError(
      'too_many_receivers',
      `there are ${maxReceivers} event receivers, the maximum; delete one first`,
    )
  }
  return receiver
}
