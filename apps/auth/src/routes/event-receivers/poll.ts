import { PollEvents, PolledEvents } from '@portcullis/contracts/event-receivers'
import { receiverNotFound } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { ReceiverParams } from './params.js'
import { requireReceiver } from './require-receiver.js'

/**
 * `POST /v1/event-receivers/:id/poll`, RFC 8936. Only for the receiver itself, not for
 * administrators: an administrator who acknowledges an event would take it away from the receiver.
 */
export const poll: Route = async (app) => {
  app.post(
    '/v1/event-receivers/:id/poll',
    {
      config: { audit: 'receiver.poll' },
      onRequest: app.allow('events:read'),
      schema: {
        summary: 'Acknowledge security events and get the queued ones (RFC 8936)',
        params: ReceiverParams,
        body: PollEvents,
        response: { 200: PolledEvents, ...problemResponses },
      },
    },
    async (request, reply) => {
      request.audit.target.receiver = request.params.id
      const { id, identity } = await requireReceiver(app, request.caller, request.params.id)
      if (identity !== request.caller.identity) {
        throw receiverNotFound()
      }
      const closed = new AbortController()
      reply.raw.once('close', () => closed.abort())
      return app.eventPoller.poll(id, request.body, request.caller, closed.signal)
    },
  )
}
