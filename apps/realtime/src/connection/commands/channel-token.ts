import { type ReplyError, replyErrors } from '@portcullis/protocol'
import type { Session } from '../session.js'
import { type Grant, permits } from '../tokens.js'

/**
 * Asks auth about a token that a client shows for a channel. The token must have the connection's
 * identity and subject, and permit the channel. Returns its grant, or the error to reply. The caller
 * must use the grant in the same synchronous step: the gate drops an unwatched grant.
 */
export async function channelToken(
  session: Session,
  channel: string,
  token: string,
): Promise<{ grant: Grant } | { error: ReplyError }> {
  const grant = await session.node.tokens.introspect(token)
  if (grant === 'unavailable') {
    return { error: replyErrors.internal }
  }
  // Error 109 makes a client ask its backend for a new token, and 103 makes it stop.
  if (grant === 'expired') {
    return { error: replyErrors.tokenExpired }
  }
  if (grant === 'invalid') {
    return { error: replyErrors.permissionDenied }
  }
  const isOwn = grant.identity === session.identity && grant.subject === session.subject
  return isOwn && permits(grant, 'subscribe', channel)
    ? { grant }
    : { error: replyErrors.permissionDenied }
}
