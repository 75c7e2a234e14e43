import type { CommandBody } from '@portcullis/protocol'
import type { Connection } from '../connection.js'

/** `unsubscribe`: after the reply nothing more of the channel is sent. */
export function unsubscribe(
  connection: Connection,
  id: number,
  { channel }: CommandBody<'unsubscribe'>,
): void {
  const subscription = connection.subscriptions.leave(channel)
  // A subscribe that is still under way gets its reply first: the client sees both in its own order.
  if (subscription?.replyTo !== undefined) {
    connection.reply(subscription.replyTo, { subscribe: {} })
  }
  connection.reply(id, { unsubscribe: {} })
}
