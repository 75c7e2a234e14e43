import { UnsubscribeRequest } from '@portcullis/contracts/server-api'
import { Type } from '@sinclair/typebox'
import type { Order } from '../../../hub/orders.js'
import { orInternal } from '../answer.js'
import type { ApiCommand } from '../command.js'
import { refuseFields, type Tell, targetOf } from '../target.js'

const Result = Type.Object({})

/**
 * `unsubscribe`: takes a user's connections out of a channel, on every node, however they came into it.
 * It revokes nothing: whoever may subscribe may do so again. Whoever may close these connections may do
 * this, which is less: `tokens:revoke`, as for `disconnect`.
 */
export function apiUnsubscribe(tell: Tell): ApiCommand<typeof UnsubscribeRequest, typeof Result> {
  return {
    name: 'unsubscribe',
    summary: "Take a user's connections out of a channel",
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
      return orInternal(tell(order, caller).then(() => ({})))
    },
  }
}
