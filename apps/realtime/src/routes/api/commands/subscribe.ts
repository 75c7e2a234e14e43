import { permitsChannel } from '@portcullis/contracts/scopes'
import { SubscribeRequest } from '@portcullis/contracts/server-api'
import { contentOfJson, replyErrors } from '@portcullis/protocol'
import { Type } from '@sinclair/typebox'
import type { ChannelOptions } from '../../../hub/namespaces.js'
import { maxOrderBytes, type Order } from '../../../hub/orders.js'
import { apiError, orInternal } from '../answer.js'
import type { ApiCommand } from '../command.js'
import { notAvailable, refuseFields, type Tell, targetOf } from '../target.js'

const Result = Type.Object({})
/** The rest of an order has room beside it. */
const maxDataBytes = maxOrderBytes / 2

/**
 * `subscribe`: puts a user's connections into a channel, on every node; it ends with the connection.
 *
 * What it grants goes beyond the connections' own tokens, so it asks for what it takes to issue a token
 * that permits the channel: `tokens:issue`, and `subscribe:<channel>`, where `{sub}` stands for the user.
 * Revoking a connection's token ends the connection, and all that it was put into.
 */
export function apiSubscribe(
  tell: Tell,
  optionsOf: (channel: string) => ChannelOptions,
): ApiCommand<typeof SubscribeRequest, typeof Result> {
  return {
    name: 'subscribe',
    summary: "Put a user's connections into a channel",
    scope: 'tokens:issue',
    body: SubscribeRequest,
    result: Result,
    async run(body, caller) {
      const { user, channel, recover_since: since, expire_at: expireAt = 0 } = body
      // In the token of a subject `{sub}` is that subject, as when such a token issues another.
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
      const data = dataOf(body)
      if (data === 'unfit') {
        return apiError(replyErrors.badRequest)
      }
      const order: Order = {
        type: 'subscribe',
        ...targetOf(body, caller),
        channel,
        ...(since === undefined ? {} : { since }),
        ...(data === undefined ? {} : { data }),
        ...(expireAt === 0 ? {} : { expiresAt: expireAt * 1000 }),
      }
      return orInternal(tell(order, caller).then(() => ({})))
    },
  }
}

/** `unfit`: too large, or nested deeper than JSON can be written. */
function dataOf(body: { data?: unknown; b64data?: string }) {
  const content = contentOfJson(body)
  try {
    return Buffer.byteLength(JSON.stringify(content) ?? '') > maxDataBytes ? 'unfit' : content
  } catch (error) {
    if (error instanceof RangeError) {
      return 'unfit'
    }
    throw error
  }
}
