import { permitsChannel } from '@portcullis/contracts/scopes'
import { type ReplyError, replyErrors } from '@portcullis/protocol'
import type { Connection } from '../connection.js'
import type { Grant } from '../tokens.js'

/**
 * Asks auth about the token that a client shows for a channel: one of its own identity and subject
 * that permits the channel. Gives the error to answer when it is none.
 * What is to stand on the grant has to hold it at once.
 */
export async function channelToken(
  connection: Connection,
  channel: string,
  token: string,
): Promise<{ grant: Grant } | { error: ReplyError }> {
  const grant = await connection.node.tokens.introspect(token)
  if (grant === 'unavailable') {
    return { error: replyErrors.internal }
  }
  // At 109 a client asks its backend for a new one.
  if (grant === 'inactive') {
    return { error: replyErrors.tokenExpired }
  }
  const { identity, subject } = connection
  const own = grant.identity === identity && grant.subject === subject
  const permits = permitsChannel(grant.scopes, grant.subject, 'subscribe', channel)
  return own && permits ? { grant } : { error: replyErrors.permissionDenied }
}
