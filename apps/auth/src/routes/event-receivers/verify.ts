import { VerifyEventReceiver } from '@portcullis/contracts/event-receivers'
import { queueVerification } from '../../registry/index.js'
import { NoContent, problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { ReceiverParams } from './params.js'
import { requireReceiver } from './require-receiver.js'

/** `POST /v1/event-receivers/:id/verify`: sends a test event (SSF 1.0, Verification). */
export const verify: Route = async (app) => {
  app.post(
    '/v1/event-receivers/:id/verify',
    {
      config: { audit: 'receiver.verify' },
      onRequest: app.allow('events:read'),
      schema: {
        summary: 'Queue a verification event, which contains `state`',
        params: ReceiverParams,
        body: VerifyEventReceiver,
        response: { 204: NoContent, ...problemResponses },
      },
    },
    async (request, reply) => {
      request.audit.target.receiver = request.params.id
      const { id } = await requireReceiver(app, request.caller, request.params.id)
      const { maxQueued } = app.events.settings
      await request.caller.act((registry) =>
        queueVerification(registry, id, maxQueued, request.body?.state),
      )
      return reply.code(204).send(null)
    },
  )
}
