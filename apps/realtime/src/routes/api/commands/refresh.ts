import { RefreshRequest } from '@portcullis/contracts/server-api'
import { disconnectCodes } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { Order } from '../../../hub/orders.js'
import { orInternal } from '../answer.js'
import type { ApiCommand } from '../command.js'
import { notAvailable, refuseFields, type Tell, targetOf } from '../target.js'

const Result = Type.Object({})

/**
 * `refresh`: ends a user's connections as if their tokens had expired (3005), at which clients fetch a
 * new one and come back. With `expired`, or an `expire_at` that has passed; anything else would move
 * the end of a connection, and that is its token's: 108. It revokes nothing, and needs `tokens:revoke`,
 * as `disconnect` does.
 */
export function apiRefresh(tell: Tell): ApiCommand<typeof RefreshRequest, typeof Result> {
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
      return orInternal(tell(order, caller).then(() => ({})))
    },
  }
}
