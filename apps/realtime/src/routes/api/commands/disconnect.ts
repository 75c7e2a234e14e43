import { DisconnectRequest } from '@portcullis/contracts/server-api'
import { disconnectCodes, isCloseReason, replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { Order } from '../../../hub/orders.js'
import type { ApiCommand } from '../command.js'
import { refuseFields, type SendOrder, targetOf } from '../orders.js'
import { apiError, orInternal } from '../reply.js'

const Result = Type.Object({})

/**
 * `disconnect`: closes a user's connections on every node, except those in `whitelist`; revokes
 * nothing. Without `admin` it reaches only connections with tokens of the caller's identity.
 */
export function apiDisconnect(
  sendOrder: SendOrder,
): ApiCommand<typeof DisconnectRequest, typeof Result> {
  return {
    name: 'disconnect',
    summary: "Close a user's connections",
    scope: 'tokens:revoke',
    body: DisconnectRequest,
    result: Result,
    async run(body, caller) {
      const refusal = refuseFields(body, ['label_filter', 'all_users'])
      if (refusal !== undefined) {
        return refusal
      }
      const { whitelist = [], disconnect = disconnectCodes.forceNoReconnect } = body
      if (!isCloseReason(disconnect.reason)) {
        return apiError(replyErrors.badRequest)
      }
      const order: Order = {
        type: 'disconnect',
        ...targetOf(body, caller),
        ...(whitelist.length === 0 ? {} : { whitelist }),
        code: disconnect.code,
        reason: disconnect.reason,
      }
      return orInternal(sendOrder(order, caller).then(() => ({})))
    },
  }
}
