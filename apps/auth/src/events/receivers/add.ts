import {
  type AddEventReceiver,
  type Delivery,
  pollMethod,
} from '@portcullis/contracts/event-receivers'
import { AuthError } from '../../errors.js'
import {
  addEventReceiver,
  getIdentity,
  type Receiver,
  type StoredReceiver,
} from '../../registry/index.js'
import type { Events } from '../context.js'
import { sealDelivery } from './authorization.js'
import { endpointOf } from './endpoint.js'

/**
 * Adds a receiver of security events.
 *
 * @throws AuthError `invalid_request` for an endpoint that may not be used, or to poll without an identity
 * @throws RegistryError `identity_not_found`, `too_many_receivers`
 */
export async function addReceiver(events: Events, body: AddEventReceiver): Promise<Receiver> {
  const { delivery, ...more } = body
  if (more.identity !== undefined) {
    await getIdentity(events.registry, more.identity)
  }
  return addEventReceiver(events.registry, {
    ...more,
    delivery: await storedDelivery(events, delivery, more.identity),
  })
}

/** Checks a delivery, and returns it in its stored form. @throws AuthError `invalid_request` */
export async function storedDelivery(
  { settings }: Events,
  delivery: Delivery,
  identity: string | undefined,
): Promise<StoredReceiver['delivery']> {
  if (delivery.method === pollMethod) {
    if (identity !== undefined) {
      return delivery
    }
    throw new AuthError('invalid_request', 'a receiver that polls needs an identity; set identity')
  }
  endpointOf(delivery.endpoint_url, settings.httpHosts)
  return sealDelivery(settings.secrets.secret, delivery)
}
