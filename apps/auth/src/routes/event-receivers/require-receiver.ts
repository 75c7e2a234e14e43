import { permits } from '@portcullis/contracts/scopes'
import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../callers/caller.js'
import { getEventReceiver, type Receiver, receiverNotFound } from '../../registry/index.js'

/**
 * Returns a receiver, for administrators and the receiver's own identity.
 *
 * @throws RegistryError `receiver_not_found`, also for other callers, who must not learn which
 * receivers exist (SSF 1.0: 404)
 */
export async function requireReceiver(
  app: Pick<FastifyInstance, 'registry'>,
  caller: Caller,
  id: string,
): Promise<Receiver> {
  const receiver = await getEventReceiver(app.registry, id)
  if (receiver.identity !== caller.identity && !permits(caller.scopes, 'admin')) {
    throw receiverNotFound()
  }
  return receiver
}
