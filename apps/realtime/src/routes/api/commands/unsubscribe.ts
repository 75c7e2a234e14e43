import { UnsubscribeRequest } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import type { Order } from '../../../hub/orders.js'
import type { ApiCommand } from '../command.js'
import { refuseFields, type SendOrder, targetOf } from '../orders.js'
import { orInternal } from '../reply.js'

const Result = Type.Object({})

/**
 * `unsubscribe`: unsubscribes a user's connections from a channel, on every node, whether the
 * client or the server subscribed them. Revokes nothing: clients may subscribe again. Needs
 * `tokens:revoke`, like `disconnect`, which does more.
 */
export function apiUnsubscribe(
  sendOrder: SendOrder,
): ApiCommand<typeof UnsubscribeRequest, typeof Result> {
  return {
    name: 'unsubscribe',
    summary: "Unsubscribe a user's connections from a channel",
    scope: 'tokens:revoke',
    body: UnsubscribeRequest,
    result: Result,
    async run(body, caller) {
      const refusal = refuseFields(body, ['label_filter', 'all_users'])
      if (refusal !== undefined) {
        return refusal
      }
      const order: Order = {
        type: 'unsubscribe',
        ...targetOf(body, caller),
        channel: body.channel,
      }
      return orInternal(sendOrder(order, caller).then(() => ({})))
    },
  }
}
