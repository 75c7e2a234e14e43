import { EventReceiverList } from '@portcullis/contracts/event-receivers'
import { showReceiver } from '../../events/receivers/show.js'
import { listEventReceivers } from '../../registry/index.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'

/** `GET /v1/event-receivers` */
export const list: Route = async (app) => {
  app.get(
    '/v1/event-receivers',
    {
      config: { audit: 'receiver.read' },
      onRequest: app.allow('admin'),
      schema: {
        summary: 'List the receivers of security events and the state of delivery',
        response: { 200: EventReceiverList, ...problemResponses },
      },
    },
    async () => {
      const receivers = await listEventReceivers(app.registry)
      return {
        receivers: await Promise.all(
          receivers.map((receiver) => showReceiver(app.events, receiver)),
        ),
      }
    },
  )
}
