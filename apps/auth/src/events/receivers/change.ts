import { defined } from '@portcullis/contracts/defined'
import type { ChangeEventReceiver } from '@portcullis/contracts/event-receivers'
import { changeEventReceiver, getEventReceiver, type Receiver } from '../../registry/index.js'
import type { Events } from '../context.js'
import { storedDelivery } from './add.js'

/**
 * Changes the fields that the body names. Queued events are delivered by the new delivery.
 *
 * @throws AuthError `invalid_request`
 * @throws RegistryError `receiver_not_found`
 */
export async function changeReceiver(
  events: Events,
  id: string,
  { status, delivery, identities, description }: ChangeEventReceiver,
): Promise<Receiver> {
  const { identity } = await getEventReceiver(events.registry, id)
  const stored =
    delivery === undefined ? undefined : await storedDelivery(events, delivery, identity)
  return changeEventReceiver(events.registry, id, (before) => {
    const { identities: oldIdentities, description: oldDescription, ...rest } = before
    const newIdentities = identities === undefined ? oldIdentities : identities
    const newDescription = description === undefined ? oldDescription : description
    return {
      ...rest,
      ...defined({ status, delivery: stored }),
      ...(newIdentities == null ? {} : { identities: newIdentities }),
      ...(newDescription == null ? {} : { description: newDescription }),
    }
  })
}
