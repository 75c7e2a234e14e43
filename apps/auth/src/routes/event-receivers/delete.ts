import { deleteEventReceiver } from '../../registry/index.js'
import { NoContent, problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { ReceiverParams } from './params.js'

/** `DELETE /v1/event-receivers/:id` */
export const remove: Route = async (app) => {
  app.delete(
    '/v1/event-receivers/:id',
    {
      config: { audit: 'receiver.delete' },
      onRequest: app.allow('admin'),
      schema: {
        summary: 'Delete a receiver of security events and its queued events',
        params: ReceiverParams,
        response: { 204: NoContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      request.audit.target.receiver = request.params.id
      await request.caller.act((registry) => deleteEventReceiver(registry, request.params.id))
      return reply.code(204).send(null)
    },
  )
}
