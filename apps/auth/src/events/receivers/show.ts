import { type EventReceiver, pollMethod } from '@portcullis/contracts/event-receivers'
import { eventProgress, type Receiver } from '../../registry/index.js'
import type { Events } from '../context.js'

/** Returns a receiver as the API shows it: without its Authorization header, with its progress. */
export async function showReceiver(
  { registry, jwt }: Pick<Events, 'registry' | 'jwt'>,
  receiver: Receiver,
): Promise<EventReceiver> {
  const { id, delivery, ...shown } = receiver
  const base = jwt.issuer.replace(/\/+$/, '')
  return {
    id,
    iss: jwt.issuer,
    ...shown,
    delivery:
      delivery.method === pollMethod
        ? { method: delivery.method, endpoint_url: `${base}/v1/event-receivers/${id}/poll` }
        : {
            method: delivery.method,
            endpoint_url: delivery.endpoint_url,
            authorized: delivery.authorization !== undefined,
          },
    progress: await eventProgress(registry, id),
  }
}
