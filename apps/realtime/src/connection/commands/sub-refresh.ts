import { type CommandBody, replyErrors } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { announcedTtl } from './announced-ttl.js'
import { channelToken } from './channel-token.js'

/** `sub_refresh`: a subscription that has its own token uses another one. */
export async function subRefresh(
  session: Session,
  id: number,
  { channel, token }: CommandBody<'sub_refresh'>,
): Promise<void> {
  const { subscriptions } = session
  const subscription = subscriptions.get(channel)
  if (subscription?.release === undefined) {
    return session.fail(id, replyErrors.badRequest)
  }
  const answer = await channelToken(session, channel, token)
  if (!subscriptions.isCurrent(channel, subscription)) {
    return session.fail(id, replyErrors.badRequest)
  }
  if ('error' in answer) {
    return session.fail(id, answer.error)
  }
  subscriptions.useGrant(channel, subscription, answer.grant)
  if (!subscriptions.isCurrent(channel, subscription)) {
    return session.fail(id, replyErrors.tokenExpired)
  }
  session.reply(id, { sub_refresh: { expires: true, ttl: announcedTtl(answer.grant.expiresAt) } })
}
