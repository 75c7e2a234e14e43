import { EventReceiver } from '@portcullis/contracts/event-receivers'
import { showReceiver } from '../../events/receivers/show.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { ReceiverParams } from './params.js'
import { requireReceiver } from './require-receiver.js'

/** `GET /v1/event-receivers/:id` */
export const get: Route = async (app) => {
  app.get(
    '/v1/event-receivers/:id',
    {
      config: { audit: 'receiver.read' },
      onRequest: app.allow('events:read'),
      schema: {
        summary: 'Get a receiver of security events and the state of delivery',
        params: ReceiverParams,
        response: { 200: EventReceiver, ...problemResponses },
      },
    },
    async (request) =>
      showReceiver(app.events, await requireReceiver(app, request.caller, request.params.id)),
  )
}
