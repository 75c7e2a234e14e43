import { RefreshRequest } from '@portcullis/contracts/server-api'
import { disconnectCodes } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { Order } from '../../../hub/orders.js'
import type { ApiCommand } from '../command.js'
import { notAvailable, refuseFields, type SendOrder, targetOf } from '../orders.js'
import { orInternal } from '../reply.js'

const Result = Type.Object({})

/**
 * `refresh`: closes a user's connections as if their tokens had expired (3005); clients fetch a new
 * token and reconnect. Requires `expired` or an `expire_at` in the past; otherwise error 108,
 * because only a token decides when its connection ends. Revokes nothing; needs `tokens:revoke`,
 * like `disconnect`.
 */
export function apiRefresh(sendOrder: SendOrder): ApiCommand<typeof RefreshRequest, typeof Result> {
  return {
    name: 'refresh',
    summary: "End a user's connections as expired",
    scope: 'tokens:revoke',
    body: RefreshRequest,
    result: Result,
    async run(body, caller) {
      const refusal = refuseFields(body, ['info', 'label_filter', 'all_users'])
      if (refusal !== undefined) {
        return refusal
      }
      const { expired = false, expire_at: expireAt = 0 } = body
      const isPast = expireAt > 0 && expireAt * 1000 <= Date.now()
      if (!expired && !isPast) {
        return notAvailable(
          'a connection lasts as long as its token; only its client can refresh it',
        )
      }
      const order: Order = {
        type: 'disconnect',
        ...targetOf(body, caller),
        ...disconnectCodes.expired,
      }
      return orInternal(sendOrder(order, caller).then(() => ({})))
    },
  }
}
