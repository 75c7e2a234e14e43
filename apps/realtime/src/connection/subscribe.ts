import { permitsChannel } from '@portcullis/contracts'
import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Connection, Subscription } from './connection.js'

/** `subscribe`: answered once Redis has confirmed that this node gets the channel. */
export async function subscribe(
  connection: Connection,
  id: number,
  { channel, type = 0 }: CommandBody<'subscribe'>,
): Promise<void> {
  const { node, subscriptions } = connection
  if (type !== 0) return connection.fail(id, replyErrors.notAvailable)
  if (!mayHear(connection, channel)) return connection.fail(id, replyErrors.permissionDenied)
  if (subscriptions.has(channel)) return connection.fail(id, replyErrors.alreadySubscribed)
  if (subscriptions.size >= node.limits.channelsPerConnection) {
    return connection.fail(id, replyErrors.limitExceeded)
  }
  const subscription: Subscription = { replyTo: id }
  subscriptions.set(channel, subscription)
  // An unsubscribe, or the connection's end, takes the entry away.
  const isCurrent = () => subscriptions.get(channel) === subscription
  try {
    await node.hub.subscribe(channel, connection, () => {
      if (!isCurrent()) return false
      subscription.replyTo = undefined
      // A refresh may have changed what the token permits while Redis was asked.
      if (mayHear(connection, channel)) {
        connection.reply(id, { subscribe: {} })
        return true
      }
      subscriptions.delete(channel)
      connection.fail(id, replyErrors.permissionDenied)
      return false
    })
  } catch {
    if (!isCurrent()) return
    subscriptions.delete(channel)
    connection.fail(id, replyErrors.internal)
  }
}

function mayHear({ grant }: Connection, channel: string): boolean {
  return permitsChannel(grant.scopes, grant.subject, 'subscribe', channel)
}
