import { AddEventReceiver, EventReceiver } from '@portcullis/contracts/event-receivers'
import { addReceiver } from '../../events/receivers/add.js'
import { showReceiver } from '../../events/receivers/show.js'
import { problemResponses } from '../response-schemas.js'
import type { Route } from '../route.js'
import { noteDelivery } from './note-delivery.js'

/** `POST /v1/event-receivers`. Only for administrators: events name users of every identity. */
export const add: Route = async (app) => {
  app.post(
    '/v1/event-receivers',
    {
      config: { audit: 'receiver.add' },
      onRequest: app.allow('admin'),
      schema: {
        summary:
          'Add a receiver of security events, which gets an event for each revocation from now on',
        body: AddEventReceiver,
        response: { 201: EventReceiver, ...problemResponses },
      },
    },
    async (request, reply) => {
      noteDelivery(request, request.body.delivery)
      const receiver = await request.caller.act((registry) =>
        addReceiver({ ...app.events, registry }, request.body),
      )
      request.audit.target.receiver = receiver.id
      reply.code(201).header('location', `/v1/event-receivers/${receiver.id}`)
      return showReceiver(app.events, receiver)
    },
  )
}
