import { permits } from '@portcullis/contracts/scopes'
import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../callers/caller.js'
import { getEventReceiver, type Receiver, receiverNotFound } from '../../registry/index.js'

/**
 * A receiver, for administrators and for itself. For anybody else there is none: which receivers
 * there are is not their business (SSF 1.0: 404).
 *
 * @throws RegistryError `receiver_not_found`
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
