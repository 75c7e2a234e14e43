import {
  type CommandBody,
  disconnectCodes,
  replyErrors,
  unsubscribeCodes,
} from '@portcullis/protocol'
import type { Session } from '../session.js'
import type { Connected } from '../state.js'
import { permits } from '../tokens.js'
import { adoptToken } from './adopt-token.js'
import { announcedTtl } from './announced-ttl.js'

/**
 * `refresh`: the connection uses another token of the same identity and subject, with the scopes of
 * that token. Subscriptions that it does not permit are ended.
 */
export async function refresh(
  session: Session,
  id: number,
  { token }: CommandBody<'refresh'>,
  state: Connected,
): Promise<void> {
  if (state.refreshing) {
    return session.fail(id, replyErrors.tooManyRequests)
  }
  state.refreshing = true
  const outcome = await adoptToken(session, token).finally(() => {
    state.refreshing = false
  })
  switch (outcome) {
    case 'closed':
      return
    case 'unavailable':
      return session.fail(id, replyErrors.internal)
    // Closes with 3005: the client fetches another token and reconnects.
    case 'expired':
      return session.end(disconnectCodes.expired)
    case 'invalid':
    case 'foreign':
      return session.end(disconnectCodes.invalidToken)
    case 'adopted':
  }
  session.reply(id, {
    refresh: {
      client: session.id,
      version: session.node.version,
      expires: true,
      ttl: announcedTtl(session.grant.expiresAt),
    },
  })
  endUnpermitted(session)
}

/**
 * Ends the subscriptions that the connection's token does not permit. Leaves alone those that do not
 * depend on it (they have their own token, or the server API began them), and those that await their
 * reply: `subscribe` checks the token before it replies.
 */
function endUnpermitted({ subscriptions, grant }: Session): void {
  for (const [channel, { replyTo, release, server }] of [...subscriptions.entries()]) {
    if (release !== undefined || server?.granted === true || replyTo !== undefined) {
      continue
    }
    if (!permits(grant, 'subscribe', channel)) {
      subscriptions.end(channel, unsubscribeCodes.serverUnsubscribe)
    }
  }
}
