import type { CommandBody } from '@portcullis/protocol'
import { clientUnsubscribe } from '../events.js'
import type { Session } from '../session.js'

/**
 * `unsubscribe`: nothing more of the channel is sent after the reply. Resolves when the client is not
 * listed in presence any more.
 */
export function unsubscribe(
  session: Session,
  id: number,
  { channel }: CommandBody<'unsubscribe'>,
): Promise<void> | undefined {
  const subscription = session.subscriptions.leave(channel, clientUnsubscribe)
  // A `subscribe` in flight gets its reply first, in the client's order.
  if (subscription?.replyTo !== undefined) {
    session.reply(subscription.replyTo, { subscribe: {} })
  }
  session.reply(id, { unsubscribe: {} })
  return subscription?.left
}
