import { PollEvents, PolledEvents } from '@portcullis/contracts/event-receivers'
import { receiverNotFound } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { ReceiverParams } from './params.js'
import { requireReceiver } from './require-receiver.js'

/**
 * `POST /v1/event-receivers/:id/poll`, RFC 8936. For the receiver alone, not for administrators: what
 * one acknowledges nobody else gets.
 */
export const poll: Route = async (app) => {
  app.post(
    '/v1/event-receivers/:id/poll',
    {
      config: { audit: 'receiver.poll' },
      onRequest: app.allow('events:read'),
      schema: {
        summary: 'Acknowledge security events and get those that wait (RFC 8936)',
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
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      return app.eventPoller.poll(id, request.body, request.caller, gone.signal)
    },
  )
}
