import type { CommandBody } from '@portcullis/protocol'
import type { Session } from '../session.js'

/** `unsubscribe`: nothing more of the channel is sent after the reply. */
export function unsubscribe(
  session: Session,
  id: number,
  { channel }: CommandBody<'unsubscribe'>,
): undefined {
  const subscription = session.subscriptions.leave(channel)
  // A `subscribe` in flight gets its reply first, in the client's order.
  if (subscription?.replyTo !== undefined) {
    session.reply(subscription.replyTo, { subscribe: {} })
  }
  session.reply(id, { unsubscribe: {} })
}
