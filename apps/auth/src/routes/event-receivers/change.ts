import { ChangeEventReceiver, EventReceiver } from '@portcullis/contracts'
import { changeReceiver } from '../../events/change-receiver.js'
import { showReceiver } from '../../events/show-receiver.js'
import { problemAnswers } from '../answers.js'
import type { Route } from '../route.js'
import { ReceiverParams } from './params.js'

/** `PATCH /v1/event-receivers/:id` */
export const change: Route = async (app) => {
  app.patch(
    '/v1/event-receivers/:id',
    {
      onRequest: app.allow('admin'),
      schema: {
        summary: 'Pause, resume or change a receiver of security events; nothing queued is lost',
        params: ReceiverParams,
        body: ChangeEventReceiver,
        response: { 200: EventReceiver, ...problemAnswers },
      },
    },
    async (request) =>
      showReceiver(app.events, await changeReceiver(app.events, request.params.id, request.body)),
  )
}
