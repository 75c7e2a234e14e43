import { ChangeEventReceiver, EventReceiver } from '@portcullis/contracts/event-receivers'
import { changeReceiver } from '../../events/receivers/change.js'
import { showReceiver } from '../../events/receivers/show.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { noteDelivery } from './note-delivery.js'
import { ReceiverParams } from './params.js'

/** `PATCH /v1/event-receivers/:id` */
export const change: Route = async (app) => {
  app.patch(
    '/v1/event-receivers/:id',
    {
      config: { audit: 'receiver.change' },
      onRequest: app.allow('admin'),
      schema: {
        summary: 'Pause, resume or change a receiver of security events; queued events are kept',
        params: ReceiverParams,
        body: ChangeEventReceiver,
        response: { 200: EventReceiver, ...problemResponses },
      },
    },
    async (request) => {
      const { status, delivery } = request.body
      request.audit.target.receiver = request.params.id
      if (status !== undefined) {
        request.audit.detail['status'] = status
      }
      if (delivery !== undefined) {
        noteDelivery(request, delivery)
      }
      const changed = await request.caller.act((registry) =>
        changeReceiver({ ...app.events, registry }, request.params.id, request.body),
      )
      return showReceiver(app.events, changed)
    },
  )
}
