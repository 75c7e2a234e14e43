import { defined } from '@portcullis/contracts/defined'
import { permitsChannel } from '@portcullis/contracts/scopes'
import { SubscribeRequest } from '@portcullis/contracts/server-api'
import { bytesOfData, replyErrors } from '@portcullis/protocol'
import { type Static, Type } from '@sinclair/typebox'
import type { ChannelOptions } from '../../../hub/namespaces.js'
import { maxOrderBytes, type Order } from '../../../hub/orders.js'
import { bodyData } from '../body.js'
import type { ApiCommand } from '../command.js'
import { notAvailable, refuseFields, type SendOrder, targetOf } from '../orders.js'
import { apiError, orInternal } from '../reply.js'

const Result = Type.Object({})
/** Leaves room for the rest of the order, and for base64. */
const maxDataBytes = maxOrderBytes / 2

/**
 * `subscribe`: subscribes a user's connections to a channel, on every node, until the connection
 * ends.
 *
 * It grants more than the connections' tokens, so the caller needs the scopes for issuing a token
 * that permits the channel: `tokens:issue`, and `subscribe:<channel>`, where `{sub}` stands for the
 * user. Revoking a connection's token ends the connection and with it these subscriptions.
 */
export function apiSubscribe(
  sendOrder: SendOrder,
  optionsOf: (channel: string) => ChannelOptions,
): ApiCommand<typeof SubscribeRequest, typeof Result> {
  return {
    name: 'subscribe',
    summary: "Subscribe a user's connections to a channel",
    scope: 'tokens:issue',
    body: SubscribeRequest,
    result: Result,
    async run(body, caller) {
      const { user, channel, recover_since: since, expire_at: expireAt = 0 } = body
      // In a token with a subject, `{sub}` stands for that subject, as when it issues another
      // token.
      const subject = caller.subject === caller.identity ? user : caller.subject
      if (!permitsChannel(caller.scopes, subject, 'subscribe', channel)) {
        return apiError(replyErrors.permissionDenied)
      }
      const refusal = refuseFields(body, [
        'info',
        'b64info',
        'override',
        'label_filter',
        'all_users',
      ])
      if (refusal !== undefined) {
        return refusal
      }
      if (since !== undefined && !optionsOf(channel).recovery) {
        return notAvailable('recover_since')
      }
      if (expireAt > 0 && expireAt * 1000 <= Date.now()) {
        return apiError(replyErrors.expired)
      }
      const data = orderData(body)
      if (data === 'refused') {
        return apiError(replyErrors.badRequest)
      }
      const order: Order = {
        type: 'subscribe',
        ...targetOf(body, caller),
        channel,
        ...defined({ since: since && { epoch: '', ...since }, data: data?.toString('base64') }),
        ...(expireAt === 0 ? {} : { expiresAt: expireAt * 1000 }),
      }
      return orInternal(sendOrder(order, caller).then(() => ({})))
    },
  }
}

type Body = Static<typeof SubscribeRequest>

/** Returns the bytes of the data; `refused` when they are too many, or nested too deep. */
function orderData({ data, b64data = '' }: Body): Buffer | undefined | 'refused' {
  const read = bodyData(b64data === '' ? { data } : { b64data })
  if (read === undefined) {
    return undefined
  }
  const bytes = read === 'too deep' ? undefined : bytesOfData(read)
  return bytes === undefined || bytes.length > maxDataBytes ? 'refused' : bytes
}
