import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import { announcedTtl } from './announced-ttl.js'
import { channelToken } from './channel-token.js'

/** `sub_refresh`: a subscription that stands on a token of its own goes on with another. */
export async function subRefresh(
  connection: Connection,
  id: number,
  { channel, token }: CommandBody<'sub_refresh'>,
): Promise<void> {
  const subscription = connection.subscriptions.get(channel)
  if (subscription?.release === undefined) {
    return connection.fail(id, replyErrors.badRequest)
  }
  const found = await channelToken(connection, channel, token)
  // Ended meanwhile: there is nothing to go on with.
  if (connection.subscriptions.get(channel) !== subscription) {
    return connection.fail(id, replyErrors.badRequest)
  }
  if ('error' in found) {
    return connection.fail(id, found.error)
  }
  connection.subscriptions.standOn(channel, subscription, found.grant)
  if (connection.subscriptions.get(channel) !== subscription) {
    return connection.fail(id, replyErrors.tokenExpired)
  }
  connection.reply(id, { sub_refresh: { expires: true, ttl: announcedTtl(found.grant.expiresAt) } })
}
